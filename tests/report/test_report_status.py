"""The words of a project at a glance."""

from towpath.report.status import Grown, growth_in_words


def test_files_that_are_no_table_grow_by_files_and_bytes():
    rows = Grown(dataset="rides", rows_new=90, share=0.15, asks_at=0.1)
    assert growth_in_words(rows) == "90 new rows since the last training (+15%); a run is asked for at +10%"
    files = Grown(dataset="images", rows_new=3, share=0.5, asks_at=None, unit="files", size_new=2_000_000)
    assert growth_in_words(files) == "3 new files (2.0 MB) since the last training (+50%)"
