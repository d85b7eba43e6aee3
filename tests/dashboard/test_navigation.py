"""Pages appear by themselves."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.navigation import PAGES_FOLDER, START_URL, PageError, find_pages, grouped
from fer_core.runs import RunStore
from tests.dashboard.conftest import APP

PAGE = '"""Two runs beside each other."""\nTITLE = "Compare"\nGROUP = "Results"\nORDER = 2\nraise SystemExit\n'


def test_the_pages_of_the_product_have_their_places() -> None:
    pages = {page.url: page for page in find_pages()}
    assert {"overview", "run", "photos"} <= set(pages)
    assert (pages["overview"].group, pages["run"].group, pages["photos"].group) == ("Results", "Model", "Try")
    assert find_pages()[0].url == START_URL
    assert all(page.help for page in pages.values())


def test_one_new_file_is_a_new_page_and_finding_it_does_not_run_it(tmp_path: Path) -> None:
    (tmp_path / "overview.py").write_text('TITLE = "Overview"\nGROUP = "Results"\nORDER = 1\n')
    (tmp_path / "queue.py").write_text('TITLE = "Queue"\nGROUP = "Train"\nURL = "jobs"\n')
    (tmp_path / "extra.py").write_text('TITLE = "Extra"\nGROUP = "Something else"\n')
    (tmp_path / "_shared.py").write_text("x = 1\n")
    assert [page.url for page in find_pages(tmp_path)] == ["overview", "jobs", "extra"]
    (tmp_path / "compare.py").write_text(PAGE)
    pages = find_pages(tmp_path)
    assert [page.url for page in pages] == ["overview", "compare", "jobs", "extra"]
    assert pages[1].help == "Two runs beside each other."
    assert list(grouped(pages)) == ["Results", "Train", "Something else"]


@pytest.mark.parametrize("source", ["", "TITLE = 3\nGROUP = 'Results'\n", "GROUP = 'Results'\n"])
def test_a_page_without_its_constants_is_an_error_that_names_them(tmp_path: Path, source: str) -> None:
    (tmp_path / "compare.py").write_text(source)
    with pytest.raises(PageError, match=r"compare.py must set TITLE"):
        find_pages(tmp_path)


def test_no_two_pages_share_an_address() -> None:
    urls = [page.url for page in find_pages()]
    assert len(set(urls)) == len(urls)
    assert "start" not in urls, "app.py uses it for the page that one starts with"


@pytest.mark.parametrize("page", [page.path.name for page in find_pages()])
def test_every_page_opens_without_runs(store: RunStore, page: str) -> None:
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    app.switch_page(f"{PAGES_FOLDER.name}/{page}").run()
    assert not app.exception
    assert not app.error
    assert app.title[0].value
    assert app.caption[0].value.endswith(("?", ".")), "one sentence says what a page answers"
