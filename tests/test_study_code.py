"""The fingerprint of code: a formula changes it, words about it do not."""

from __future__ import annotations

import importlib
import sys

import pytest

from oddemo.study import code

TEXT = '''"""Words."""
def double(value):
    """Words."""
    # words
    return {formula}
'''


@pytest.fixture
def fingerprint_of(tmp_path, monkeypatch):
    """Write module texts, and return the fingerprint of the first."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(**texts: str) -> str:
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()
        code._read.cache_clear()
        code._source.cache_clear()
        return code.code_fingerprint([next(iter(texts))])

    yield make
    code._read.cache_clear()
    code._source.cache_clear()


def test_a_formula_counts_and_words_do_not(fingerprint_of):
    plain = fingerprint_of(counted=TEXT.format(formula="2 * value"))
    assert fingerprint_of(counted=TEXT.format(formula="3 * value")) != plain
    assert fingerprint_of(counted=TEXT.format(formula="2 * value").replace("Words", "Other words")) == plain
    assert fingerprint_of(counted=TEXT.format(formula="(2 *\n        value)").replace("# words", "# more")) == plain


def test_modules_of_oddemo_that_are_imported_count_too(fingerprint_of):
    names = {
        "oddemo.metrics.average_precision", "oddemo.metrics.match_records", "oddemo.detect.pipeline",
    }  # fmt: skip
    imported = set()
    waiting = ["oddemo.study.detecting"]
    while waiting:
        name = waiting.pop()
        if name not in imported:
            imported.add(name)
            waiting += [other for other in code._read(name)[1] if other not in code.NO_NUMBERS]
    assert names <= imported
    assert not imported & code.NO_NUMBERS
    # How runs are kept and shown does not decide them.
    assert not {"oddemo.study.engine", "oddemo.study.results", "oddemo.cli"} & imported


def test_nothing_is_imported_to_be_fingerprinted(fingerprint_of):
    fingerprint_of(never_run='raise SystemExit("this must not run")\n')
    assert "never_run" not in sys.modules
