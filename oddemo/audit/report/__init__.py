"""Reports of an audit for people: one self-contained HTML file, and lines for a terminal."""

from oddemo.audit.report.html import write_html
from oddemo.audit.report.terminal import print_report

__all__ = ["print_report", "write_html"]
