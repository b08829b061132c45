"""Reports say what the audit found, whatever the names in it, and the HTML needs nothing but itself."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_page import Page, hostile_audit, material_of, printed

from oddemo.audit.compare import StageResult, compare_traces
from oddemo.audit.faults.registry import FAULTS, fault
from oddemo.audit.images import ImageSet
from oddemo.audit.match import likeness
from oddemo.audit.report import write_html
from oddemo.audit.report.html import render_html
from oddemo.audit.report.words import shows_first_at, verdict_words
from oddemo.audit.stages import STAGES
from oddemo.audit.verdict import VERDICTS, Audit, Material
from oddemo.errors import OddemoError

SECTIONS = (
    "Change in mAP",
    "From picture to label",
    "Cause",
    "Pictures",
    "Stage by stage",
    "What the files themselves promise",
    "Where these numbers come from",
)


@pytest.fixture(scope="module")
def html(channel_order_audit: Audit) -> str:
    return render_html(channel_order_audit)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def faithful(audit: Audit) -> Audit:
    material = material_of(audit)
    same = replace(material, candidate=replace(material.reference, source=audit.candidate), cured=None)
    comparison = compare_traces(same.reference, same.candidate)
    return replace(audit, verdict="faithful", comparison=comparison, causes=(), after=None, material=same)


def test_the_report_says_what_was_found(channel_order_audit: Audit, page: Page) -> None:
    cause, delta = channel_order_audit.causes[0], channel_order_audit.delta_map
    assert delta is not None
    assert "diverges" in page.text
    for told in (cause.fix, cause.id, "verified", cause.claim, *cause.evidence.split("; "), "10_preprocessing_faults"):
        assert told in page.text
    assert f"−{abs(delta.point):.3f} (95 % interval −{abs(delta.low):.3f} to −{abs(delta.high):.3f})" in page.text
    assert channel_order_audit.reference in page.text
    assert channel_order_audit.candidate in page.text


def test_the_sections_come_in_the_order_of_a_reader_s_questions(html: str) -> None:
    places = [html.index(f">{section}<") for section in SECTIONS]
    assert places == sorted(places)
    assert html.index('class="line"') < places[0]


def test_the_strip_shows_every_stage_with_its_status(channel_order_audit: Audit, page: Page) -> None:
    strip = [
        tag
        for tag in page.named("li")
        if (tag.get("class") or "").split()[:1] in (["equal"], ["differs"], ["not_compared"])
    ]
    assert [(tag["class"] or "").split()[0] for tag in strip] == [
        s.status for s in channel_order_audit.comparison.stages
    ]
    first = [index for index, tag in enumerate(strip) if "first" in (tag["class"] or "").split()]
    assert [STAGES[index] for index in first] == ["pixels"]
    for word in ("✓ equal", "✗ differs", "first difference"):
        assert word in page.text


def test_six_pictures_that_differ_most_are_shown_on_both_sides(
    channel_order_audit: Audit, html: str, page: Page
) -> None:
    material = material_of(channel_order_audit)
    alike = [likeness(*two) for two in zip(material.reference.detections, material.candidate.detections, strict=True)]
    worst = [material.reference.image_names[i] for i in np.argsort(alike)[:6]]
    assert re.findall(r"<h3><bdi>(.*?)</bdi></h3>", html) == worst
    assert len(page.of_class("picture")) == 18
    assert len(page.of_class("input")) == 18
    # Both sides saw the same picture, so it is in the file once; the network's inputs are three pictures each.
    sources = [value for _, attrs in page.tags for name, value in attrs.items() if name in ("src", "href") and value]
    assert len([value for value in sources if value.startswith("data:image/jpeg;base64,")]) == 6 + 18
    assert len([value for value in sources if re.fullmatch(r"#picture-\d", value)]) == 12


def test_every_detection_above_the_score_is_drawn(channel_order_audit: Audit, page: Page) -> None:
    material = material_of(channel_order_audit)
    alike = [likeness(*two) for two in zip(material.reference.detections, material.candidate.detections, strict=True)]
    shown = np.argsort(alike)[:6]
    assert material.cured is not None
    traces = (material.reference, material.candidate, material.cured)
    boxes = sum(int((trace.detections[i].scores >= 0.3).sum()) for trace in traces for i in shown)
    assert len(page.of_class("box")) == boxes + 3  # three in the legend
    true = sum(len(material.truth.records[i].class_ids) for i in shown) if material.truth else 0
    assert len(page.of_class("truth")) == 3 * true + 1


def test_the_cured_reference_agrees_with_the_candidate(html: str) -> None:
    third = html.split("<figcaption>Reference, same mistake</figcaption>")[1:]
    assert len(third) == 6
    for figure in third:
        assert set(re.findall(r'<g class="box (\w+)">', figure.split("</figure>")[0])) <= {"agrees"}
    # … which is not because everything is said to agree.
    assert html.count('<g class="box moved">') > 6


def test_the_page_fetches_nothing_and_runs_nothing(html: str, page: Page) -> None:
    assert not page.named("script")
    assert {tag for tag, _ in page.tags} & {"link", "iframe", "object", "embed", "base", "form", "a"} == set()
    for _, attrs in page.tags:
        assert not [name for name in attrs if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "srcset", "action"):
            assert (attrs.get(name) or "#").startswith(("data:image/jpeg;base64,", "#"))
    assert not re.search(r"https?:|//[a-z]|url\(|@import", re.sub(r"base64,[\w+/=]+", "", html))
    policy = next(tag["content"] for tag in page.named("meta") if tag.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_hostile_names_are_shown_and_not_obeyed(channel_order_audit: Audit, html: str, page: Page) -> None:
    told = render_html(hostile_audit(channel_order_audit))
    hostile = Page(told)
    known = {(tag, name) for tag, attrs in page.tags for name in attrs}
    assert {(tag, name) for tag, attrs in hostile.tags for name in attrs} <= known
    titles = [[attrs.get("id") for tag, attrs in p.tags if tag in ("h1", "h2")] for p in (page, hostile)]
    assert [title for title in titles[1] if title != "notes"] == titles[0]
    assert told.count("<style>") == told.count("</style>") == 1
    for shown in (
        "<script>alert(1)</script>.jpg",
        "onerror='alert(1)'",
        r"new\nline\r\ttab\x00null\x1b[31mred",
        "{{ 7 * 7 }}",
    ):
        assert shown in hostile.text
    assert r"\u202egpj.exe\u2066" in hostile.text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", told)
    assert "a" * 400 in hostile.text
    assert "<script" in html.replace("<style>", "<script")  # the pattern would be found if it were there


def test_64_large_noisy_pictures_stay_below_3_mb(tmp_path: Path, channel_order_audit: Audit) -> None:
    rng = np.random.default_rng(0)
    material = material_of(channel_order_audit)
    names = tuple(f"{i}.png" for i in range(64))
    images = tuple(rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in names)
    pixels = rng.normal(size=(64, 128, 128, 3)).astype(np.float32)
    pick = [i % 12 for i in range(64)]

    def large(trace):
        found = tuple(trace.detections[i] for i in pick)
        return replace(trace, image_names=names, images=images, dense={"pixels": {"pixels": pixels}}, detections=found)

    assert material.cured is not None
    traces = [large(trace) for trace in (material.reference, material.candidate, material.cured)]
    crowded = replace(channel_order_audit, material=Material(ImageSet(tmp_path, names), *traces))
    path = write_html(crowded, tmp_path / "report.html", pictures=64)
    assert Page(path.read_text(encoding="utf-8")).text.count("network input") >= 3 * 64
    assert 500_000 < path.stat().st_size < 3_000_000


def test_a_report_is_not_replaced_unasked(tmp_path: Path, channel_order_audit: Audit) -> None:
    path = tmp_path / "deep" / "report.html"
    assert write_html(channel_order_audit, path) == path
    before = path.read_bytes()
    with pytest.raises(OddemoError, match="exists already"):
        write_html(faithful(channel_order_audit), path)
    assert path.read_bytes() == before
    write_html(faithful(channel_order_audit), path, overwrite=True)
    assert path.read_bytes() != before
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_words_of_its_own(verdict: str, channel_order_audit: Audit) -> None:
    equal = faithful(channel_order_audit)
    audit = {
        "faithful": equal,
        "benign": replace(channel_order_audit, verdict="benign", causes=()),
        "diverges": channel_order_audit,
        "unexplained": replace(
            channel_order_audit,
            verdict="unexplained",
            after=channel_order_audit.comparison,
            causes=(replace(channel_order_audit.causes[0], verified=False),),
        ),
    }[verdict]
    text = Page(render_html(audit, pictures=1)).text
    lines = printed(audit)
    assert verdict in text
    assert lines.split()[1] == verdict.upper()
    own = {
        "faithful": "does what the reference does",
        "benign": "Nothing has to be changed",
        "diverges": "the cause is known: BGR instead of RGB",
        "unexplained": "no known cause removes the difference",
    }
    for told in (text, lines):
        assert {name for name, words in own.items() if words in told} == {verdict}
    assert ("suspected, not verified" in text) == ("suspected, not verified" in lines) == (verdict == "unexplained")
    assert ("Reference, same mistake" in text) == (verdict == "diverges")


@pytest.mark.parametrize("shown", [0, 1, 99])
def test_as_many_pictures_as_asked_for(shown: int, channel_order_audit: Audit) -> None:
    told = render_html(channel_order_audit, pictures=shown)
    assert told.count('<article class="pair">') == min(shown, 12)
    with pytest.raises(OddemoError, match="cannot show"):
        render_html(channel_order_audit, pictures=-1)


def test_sources_that_show_little_are_reported_all_the_same(channel_order_audit: Audit) -> None:
    material = material_of(channel_order_audit)
    bare = replace(material.candidate, images=(), dense={}, labels=())
    scarce = replace(material.reference, images=(), dense={})
    for one, two in ((material.reference, bare), (scarce, bare)):
        audit = replace(channel_order_audit, material=Material(material.pictures, one, two))
        page = Page(render_html(audit))
        assert len(page.of_class("picture")) == 12
        assert page.text.count("not shown by this source") == (6 if one.dense else 0)
        assert "id 1 (no name)" in " ".join(page.texts) or "id 1 (no name" in page.text
    gone = ImageSet(Path("/nowhere"), material.pictures.names)
    assert render_html(replace(channel_order_audit, material=Material(gone, scarce, bare)), pictures=1)
    assert "Pictures" not in Page(render_html(replace(channel_order_audit, material=None))).text


def test_every_cause_can_be_reported(channel_order_audit: Audit) -> None:
    causes = tuple(replace(channel_order_audit.causes[0], id=fault.id, stage=fault.stage) for fault in FAULTS)
    audit = replace(channel_order_audit, causes=causes)
    page, lines = Page(render_html(audit, pictures=0)), printed(audit)
    for known in FAULTS:
        assert known.id in page.text
        assert known.symptom in page.text
        assert f": {known.id} ({known.title}), verified" in lines
    assert f"{len(FAULTS)} causes are known" in page.text


def test_what_to_do_is_worded_by_the_kind_of_candidate(channel_order_audit: Audit) -> None:
    cause = channel_order_audit.causes[0]
    told = {
        kind: verdict_words(replace(channel_order_audit, candidate=f"{kind}:x", causes=causes))
        for kind, causes in {
            "savedmodel": (cause,),
            "tflite": (cause, cause),
            "python": (cause,),
            "trace": (cause,),
            "tfvision": (cause,),
        }.items()
    }
    assert told["savedmodel"].action.startswith("Apply the fix, export again, and run the audit again: ")
    assert told["tflite"].action.startswith("Apply the fix of every cause, export again, ")
    assert "audit the script again" in told["python"].action
    assert told["python"].line.startswith("The script differs")
    assert told["python"].meaning.endswith("Nothing else is wrong with the script.")
    assert "record again" in told["trace"].action
    assert told["trace"].meaning.endswith("Nothing else is wrong with the recorded run.")
    for kind in ("python", "trace", "tfvision"):
        assert "export again" not in told[kind].action
        assert "export" not in told[kind].line
    assert all("faithful, or benign" in words.action for words in told.values())
    same = faithful(replace(channel_order_audit, candidate="python:serve.py:detect"))
    assert verdict_words(same).line == "The script does what the reference does."


def test_a_cause_says_where_it_acts_and_where_it_shows_first(channel_order_audit: Audit) -> None:
    shown = Page(render_html(channel_order_audit, pictures=0))
    assert "Acts at image Shows first at pixels" in shown.text
    known = fault("channel_order")
    hidden = tuple(
        StageResult(one.stage, "not_compared") if one.stage == known.shows_at else one
        for one in channel_order_audit.comparison.stages
    )
    told = shows_first_at(known, replace(channel_order_audit.comparison, stages=hidden))
    assert told.startswith(known.shows_at)
    assert told.endswith(f"({known.shows_at}: not compared here)")


def test_a_fix_of_two_lines_is_two_lines(channel_order_audit: Audit) -> None:
    cause = replace(channel_order_audit.causes[0], fix="image = read(path)\nimage = image[..., ::-1]")
    audit = replace(channel_order_audit, causes=(cause,))
    html, lines = render_html(audit, pictures=0), printed(audit).splitlines()
    assert "<pre><code><span>image = read(path)</span><span>image = image[..., ::-1]</span></code></pre>" in html
    assert {"  fix  image = read(path)", "  fix  image = image[..., ::-1]"} <= set(lines)
