"""`oddemo audit`, `record` and `demo` as a user meets them: exit status, JSON, what is printed."""

from __future__ import annotations

import json
import resource

from command_line import FEW, alone, assert_refused, audit_command

from oddemo.audit.stages import STAGES
from oddemo.audit.trace import load_trace

#: What `oddemo audit --json` writes at least; other programs rely on it.
CONTRACT = {"verdict", "first_divergence", "causes", "delta_map", "stages", "contract", "provenance"}


def test_a_sound_export_from_start_to_end(bench, oddemo, tmp_path):
    json_out, html = tmp_path / "deep" / "audit.json", tmp_path / "report.html"
    ended = oddemo(
        *audit_command(bench, reference=f"tfvision:{bench.detector}"),
        *("--truth", bench.truth, "--json", json_out, "--html", html),
    )
    assert (ended.status, ended.err) == (0, "")
    assert "FAITHFUL" in ended.out
    assert ended.out.splitlines()[-2:] == [f"report: {html}", f"JSON: {json_out}"]
    told = json.loads(json_out.read_text())
    assert set(told) >= CONTRACT
    assert (told["verdict"], told["first_divergence"], told["causes"]) == ("faithful", None, [])
    assert set(told["delta_map"]) >= {"point", "low", "high", "images"}
    assert told["delta_map"]["images"] == told["images"] == FEW
    assert [stage["stage"] for stage in told["stages"]] == list(STAGES)
    assert {stage["status"] for stage in told["stages"]} == {"equal"}
    assert told["provenance"]["versions"]["tensorflow"]
    page = html.read_text()
    assert page.startswith("<!doctype html>")
    assert "faithful" in page


def test_a_broken_export_from_start_to_end(bench, channel_order_export, tmp_path):
    json_out = tmp_path / "audit.json"
    ended = alone(
        *audit_command(bench, reference=f"tfvision:{bench.detector}", candidate=channel_order_export),
        *("--json", json_out),
    )
    assert (ended.status, ended.err) == (1, "")
    assert "channel_order" in ended.out
    told = json.loads(json_out.read_text())
    assert told["provenance"]["command"].startswith("__main__.py audit --reference")
    assert (told["verdict"], told["first_divergence"], told["delta_map"]) == ("diverges", "pixels", None)
    (cause,) = told["causes"]
    assert set(cause) >= {"id", "stage", "verified", "evidence", "fix"}
    assert (cause["id"], cause["stage"], cause["verified"]) == ("channel_order", "image", True)
    assert any("true boxes" in note for note in told["notes"])
    after = {stage["stage"]: stage["status"] for stage in told["stages_after"]}
    assert after["pixels"] == after["detections"] == "equal"


def test_recorded_here_and_audited_there(bench, oddemo, tmp_path):
    """At last from one picture, which gets a verdict and no interval."""
    out, json_out = tmp_path / "candidate.npz", tmp_path / "audit.json"
    ended = oddemo("record", bench.sound, "--images", bench.pictures, "--out", out)
    assert ended.status == 0, ended
    assert f"{out}: {FEW} pictures, stages image, pixels, features, heads, decoded, detections, labels" in ended.out
    assert load_trace(out).source == bench.sound
    ended = oddemo(*audit_command(bench, candidate=f"trace:{out}"), "--truth", bench.truth)
    assert (ended.status, ended.err) == (0, "")
    assert "FAITHFUL" in ended.out
    again = oddemo("record", bench.sound, "--images", bench.pictures, "--out", out)
    assert_refused(again, "not overwritten", "--overwrite")
    one = oddemo("record", bench.sound, "--images", bench.pictures, "--out", out, "--limit", 1, "--overwrite")
    assert one.status == 0
    assert len(load_trace(out).image_names) == 1
    ended = oddemo(
        *audit_command(bench, reference=f"trace:{out}", candidate=f"trace:{out}"),
        *("--truth", bench.truth, "--limit", 1, "--json", json_out),
    )
    assert ended.status == 0, ended
    told = json.loads(json_out.read_text())
    assert told["delta_map"] is None
    assert any("too few" in note for note in told["notes"])


def test_without_a_bench_a_difference_is_told_and_not_explained(bench, oddemo, tmp_path):
    script = tmp_path / "blind.py"
    script.write_text("def detect(image):\n    return {'boxes': [], 'scores': [], 'classes': []}\n")
    json_out = tmp_path / "audit.json"
    ended = oddemo(*audit_command(bench, candidate=f"python:{script}:detect"), "--json", json_out)
    assert ended.status == 1, ended
    told = json.loads(json_out.read_text())
    assert (told["verdict"], told["first_divergence"], told["causes"]) == ("unexplained", "detections", [])
    assert any("tfvision:DIR" in note for note in told["notes"])


def test_the_demo_tells_the_whole_story_in_time(tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = alone("demo", "--out", tmp_path / "runs")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (ended.status, ended.err) == (0, "")
    assert "1. the sound export, on 48 pictures: faithful" in ended.out
    assert "planted channel_order/in_graph: verified" in ended.out
    report = tmp_path / "runs" / "demo" / "report.html"
    assert f"report: {report}" in ended.out
    assert report.read_text().startswith("<!doctype html>")
    told = json.loads((tmp_path / "runs" / "demo" / "audit.json").read_text())
    assert (told["verdict"], told["causes"][0]["id"]) == ("diverges", "channel_order")
    assert told["delta_map"]["high"] < 0
    # Processor time, as the machine may be doing other work: on an idle one it is more than what the clock shows.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 90
