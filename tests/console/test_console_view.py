"""From events to the view, and from the view to the page."""

from datetime import timedelta
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from towpath import events as ev
from towpath.console import View, page
from towpath.console.view import guarded, span

B = "b" * 64


def test_what_is_live_is_shown_with_its_reason(whole):
    staging, production = whole.serving
    assert (staging.environment, staging.version) == ("staging", 2)
    assert (production.version, production.because) == (1, "nothing served before")
    assert production.metrics["auc"] == pytest.approx(0.7133)


def test_the_release_has_its_stages_and_where_it_is(whole):
    release = whole.release
    assert [(step.label, step.where) for step in release.steps] == [
        ("shadow", "done"),
        ("10%", "now"),
        ("50%", "next"),
        ("promoted", "next"),
    ]
    assert (release.version, release.champion, release.share) == (2, 1, 0.1)
    assert release.because == "loss: shown to be safe on 500 shadowed requests"
    assert [(guard.name, guard.challenger, guard.champion) for guard in release.guards] == [
        ("errors", "1 of 412", "8 of 3,710"),
        ("loss", "66 of 300", "581 of 2,905"),
    ]


def test_evidence_of_the_moment_goes_before_what_the_last_event_quoted(view, story):
    now = {"harm_at": 100.0, "safe_at": 10.0, "errors.log10_harm": 1.0, "errors.log10_safe": 5.0}
    (guard,) = view(*story, evidence=now).release.guards
    assert (guard.harm, guard.safe) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("end", "outcome", "where", "because"),
    [
        (
            ev.VersionRolledBack(environment="production", version=2, digest=B, to=1, release=1, by="loop", because="errors"),
            "rolled back",
            ["done", "done", "next", "done"],
            "errors",
        ),
        (
            ev.ReleaseAbandoned(release=1, because="too slow"),
            "abandoned",
            ["done", "done", "next", "done"],
            "too slow",
        ),
        (
            ev.VersionPromoted(environment="production", version=2, digest=B, previous=1, release=1, by="loop", because="safe"),
            "promoted",
            ["done", "done", "next", "done"],
            "safe",
        ),
    ],
)
def test_a_release_that_ended_is_shown_until_the_next(view, story, end, outcome, where, because):
    shown = view(*story, end)
    assert shown.release.outcome == outcome
    assert [step.where for step in shown.release.steps] == where
    assert shown.release.steps[-1].label == outcome
    assert shown.release.share == 0
    assert shown.release.because == because
    assert "Last release" in page.fragment(shown)


def test_runs_come_latest_first_with_their_ends(whole):
    assert [(run.number, run.outcome, run.version) for run in whole.runs] == [
        (3, "registered", 2),
        (2, "stopped", None),
        (1, "registered", 1),
    ]
    assert whole.runs[0].took > timedelta(0)


def test_a_run_that_goes_on_or_was_lost_says_so(view):
    started = ev.RunStarted(run=1, trigger="command", cause="c", commit="c" * 40, host="h", boot="b", pid=1)
    assert view(started).runs[0].outcome == "going on"
    assert view(started, ev.RunLost(run=1, because="its process is gone")).runs[0].outcome == "lost"


def test_a_finding_about_what_serves_is_open(view, story):
    assert view(*story).findings[0].open
    promoted = ev.VersionPromoted(environment="production", version=2, digest=B, previous=1, release=1, by="loop", because="safe")
    assert not view(*story, promoted).findings[0].open


def test_the_tail_is_in_words_latest_first(whole, story):
    assert whole.facts[0].words.startswith("commit asked for a run (commit <b>&</b>) and got none")
    assert [fact.position for fact in whole.facts] == list(range(len(story), len(story) - len(whole.facts), -1))


def test_the_view_is_plain_and_comes_back(whole):
    assert msgspec.json.decode(msgspec.json.encode(whole), type=View) == whole


class Checked(HTMLParser):
    """Every tag closed, in order; and the addresses that the page asks for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.addresses = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_for_nothing_else(whole):
    checked = Checked(page.page(whole))
    assert checked.open == []
    assert checked.addresses == ["data:,"]
    assert 'http-equiv="refresh"' in page.page(whole)


def test_what_events_say_is_text_and_not_markup(whole):
    text = page.page(whole)
    assert "commit &lt;b&gt;&amp;&lt;/b&gt;" in text
    assert "<b>&" not in text


def test_empty_states_tell_the_next_command(view):
    text = page.page(view())
    for command in ("towpath run", "towpath up", "towpath deploy", "towpath history"):
        assert f"<code>{command}" in text
    assert text.count("nothing serves") == 2


@pytest.mark.parametrize("count", range(0, 18, 3))
def test_the_page_can_be_drawn_after_any_beginning_of_the_story(view, story, count):
    assert Checked(page.page(view(*story[:count]))).open == []


@given(st.timedeltas(timedelta(0), timedelta(days=5000)))
def test_a_span_is_short_and_never_longer_than_it_was(length):
    sizes = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    words = span(length).split()
    said = sum(int(count) * sizes[unit] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert len(words) <= 4
    assert said <= length.total_seconds() <= said * 1.05 + 60


def test_shadowed_requests_went_to_both():
    shadow = {"harm_at": 10.0, "safe_at": 10.0, "loss.log10_harm": -1.0, "loss.log10_safe": 0.5}
    shadow |= {"loss.requests": 500.0, "loss.both": 40.0, "loss.challenger_only": 3.0, "loss.champion_only": 5.0}
    (guard,) = guarded(shadow)
    assert (guard.challenger, guard.champion, guard.harm, guard.safe) == ("43 of 500", "45 of 500", 0.0, 0.5)
