"""The auditor: follows pictures through two pipelines and names the first stage that differs, and why."""
