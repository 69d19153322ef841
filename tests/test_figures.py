import base64
import io
import json
import re

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import PIL.Image
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from helpers import figures, notebooks, paths
from helpers.figures import FigureError

DATA = pd.DataFrame(
    {
        "week": pd.to_datetime(["2017-01-29", "2017-02-05", "2017-02-12"]),
        "declined": [206, 47, 65],
        "share": [206 / 3083, None, 65 / 2868],
        "place": ["Travis, Texas", 'a "quoted" place', "é"],
    }
)
TITLE = "Declinations fell from the first week to the second"
ALT = "Line chart with one point a week; declined detainers fall from 206 to 47, then rise to 65."
ABOUT = {
    "data": DATA,
    "title": TITLE,
    "alt": ALT,
    "source": "ICE weekly reports.",
    "inputs": ["fact:A004", "series:weekly_detainers"],
    "notebook": "03_issuance_policy",
}


def drawn():
    figures.use_style()
    fig, ax = figures.new(height=2.5)
    ax.plot(DATA["week"], DATA["declined"], marker="o")
    ax.set_xlabel("week")
    ax.set_ylabel("declined detainers")
    return fig


def save(name="declined", **other):
    return figures.save(drawn(), name, **(ABOUT | other))


@pytest.fixture
def folder(project):
    yield paths.figure_folder()
    plt.close("all")


def test_the_last_digits_of_a_layout_change_no_byte(folder, monkeypatch):
    def laid_out(fig, lay_out=Figure.draw_without_rendering):
        lay_out(fig)
        for ax in fig.axes:
            ax.set_position(np.array(ax.get_position().bounds) + 1e-13)

    save("first")
    monkeypatch.setattr(Figure, "draw_without_rendering", laid_out)
    save("second")
    for suffix in (".svg", ".png"):
        first, second = (folder / f"{name}{suffix}" for name in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_four_files_are_written_and_nothing_else(folder):
    save()
    assert sorted(path.name for path in folder.iterdir()) == [
        "declined.csv",
        "declined.json",
        "declined.png",
        "declined.svg",
    ]


def test_figures_go_to_the_run_that_the_variables_name(folder, environment, tmp_path):
    environment.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    environment.setenv("DETAINERS_RUN", "mine")
    save()
    assert (tmp_path / "out" / "figures" / "mine" / "declined.svg").is_file()
    assert not folder.exists()


def test_the_files_are_the_same_bytes_when_drawn_again(folder):
    def contents():
        image = save()
        return image.data, {path.name: path.read_bytes() for path in folder.iterdir()}

    first = contents()
    # Another figure in between must not change numbering or clip ids.
    save("between", title="Another finding")
    image, files = contents()
    assert image == first[0]
    assert {name: files[name] for name in first[1]} == first[1]


def test_pictures_hold_no_time_no_program_and_no_path(folder):
    save()
    svg = (folder / "declined.svg").read_text(encoding="utf-8")
    assert "<dc:date>" not in svg
    assert not re.search(r"matplotlib v?\d", svg, re.IGNORECASE)
    assert str(folder) not in svg
    assert "\r" not in svg
    assert not re.search(r"[ \t]$", svg, re.MULTILINE)
    png = (folder / "declined.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert b"Software" not in png
    assert b"tIME" not in png


def test_the_csv_is_the_data_drawn(folder):
    save()
    text = (folder / "declined.csv").read_bytes().decode()
    assert "\r" not in text
    back = pd.read_csv(io.StringIO(text), parse_dates=["week"])
    pd.testing.assert_frame_equal(back, DATA, check_dtype=False, check_exact=True)


def test_the_json_says_what_is_seen_whose_it_is_and_where_it_was_drawn(folder, monkeypatch):
    monkeypatch.setattr(figures, "running_cell", lambda notebook: f"cell of {notebook}")
    save(source="Bericht für März.")
    text = (folder / "declined.json").read_text(encoding="utf-8")
    assert json.loads(text) == {
        "title": TITLE,
        "alt": ALT,
        "source": "Bericht für März.",
        "notebook": "03_issuance_policy",
        "cell": "cell of 03_issuance_policy",
        "inputs": ["fact:A004", "series:weekly_detainers"],
        "columns": ["week", "declined", "share", "place"],
    }
    assert "für" in text
    assert text.endswith("}\n")


def test_outside_a_notebook_a_figure_has_no_cell(folder):
    assert notebooks.running_cell("03_issuance_policy") is None
    save()
    assert json.loads((folder / "declined.json").read_text(encoding="utf-8"))["cell"] is None


def test_the_picture_shown_carries_its_alternative_text(folder):
    bundle, metadata = save()._repr_mimebundle_()
    assert metadata["image/png"]["alt"] == ALT
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")


def test_the_figure_shows_title_and_source_and_is_closed(folder):
    fig = drawn()
    height = fig.get_figheight()
    figures.save(fig, "declined", **ABOUT)
    texts = [text.get_text().replace("\n", " ") for text in fig.texts]
    assert texts == [TITLE, "Source: ICE weekly reports."]
    assert fig.get_figheight() > height
    assert plt.get_fignums() == []


def test_long_labels_stay_within_the_picture(folder):
    figures.use_style()
    fig, ax = figures.new(height=2.0)
    ax.plot([1, 2], [0, 1])
    ax.set_yticks([0, 1], ["Declined 2014-17 (ICE data, OIG letter)"] * 2, fontsize=9.5)
    figures.save(fig, "labelled", **ABOUT)
    picture = np.asarray(PIL.Image.open(folder / "labelled.png").convert("L"))
    assert (picture[:, [*range(10), *range(-10, 0)]] > 250).all()


def test_a_long_title_is_broken_into_lines_with_room_for_each(folder):
    long = "Declinations fell from week to week " * 5
    fig, short = drawn(), drawn()
    figures.save(short, "short", **ABOUT)
    figures.save(fig, "long", **(ABOUT | {"title": long.strip()}))
    title = fig.texts[0].get_text()
    lengths = [len(line) for line in title.splitlines()]
    assert max(lengths) <= 60
    assert max(lengths) - min(lengths) <= 15
    assert title.replace("\n", " ") == long.strip()
    assert fig.get_figheight() > short.get_figheight()


@pytest.mark.parametrize(
    "wrong",
    [
        {"alt": ""},
        {"alt": "A chart"},
        {"alt": TITLE},
        {"alt": f" {TITLE}\n"},
        {"data": DATA.iloc[:0]},
        {"data": pd.DataFrame()},
        {"data": pd.DataFrame([[1, 2]], columns=["a", "a"])},
    ],
    ids=["no alt", "short alt", "title as alt", "title in spaces", "no rows", "nothing", "twice"],
)
def test_a_figure_without_alternative_text_or_data_is_refused_and_not_written(folder, wrong):
    with pytest.raises(FigureError, match="figure declined: "):
        save(**wrong)
    assert not folder.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"alt": " " * 80}, {"title": ""}, {"source": " "}],
    ids=["blank alt", "no title", "blank source"],
)
def test_a_figure_without_words_is_refused_and_not_written(folder, wrong):
    with pytest.raises(FigureError, match="figure declined: "):
        save(**wrong)
    assert not folder.exists()


@pytest.mark.parametrize("inputs", [[], ["A004"], ["fact:"], ["fact:A 4"], ["table:facts"]])
def test_a_figure_without_inputs_or_with_a_malformed_one_is_refused(folder, inputs):
    with pytest.raises(FigureError, match="figure declined: inputs"):
        save(inputs=inputs)
    assert not folder.exists()


def test_inputs_are_kept_once_each_in_their_order(folder):
    save(inputs=iter(["result:growth.factor", "fact:A004", "result:growth.factor"]))
    about = json.loads((folder / "declined.json").read_text(encoding="utf-8"))
    assert about["inputs"] == ["result:growth.factor", "fact:A004"]


@pytest.mark.parametrize("name", ["growth.factor", "../declined"])
def test_a_name_that_is_no_stem_of_a_file_is_refused(folder, name):
    with pytest.raises(FigureError):
        save(name)
    assert not folder.parent.exists()


def test_a_refused_figure_leaves_the_last_good_one(folder):
    save()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FigureError):
        save(alt="")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_new_figures_have_page_width_and_the_axes_asked_for():
    figures.use_style()
    fig, axes = figures.new(height=3, nrows=1, ncols=2, sharey=True)
    assert fig.get_size_inches().tolist() == [figures.WIDTH, 3]
    assert len(axes) == 2
    plt.close(fig)


def test_text_is_legible_and_lines_start_with_the_palette():
    figures.use_style()
    sizes = ["font.size", "axes.labelsize", "axes.titlesize", "xtick.labelsize", "legend.fontsize"]
    assert min(mpl.rcParams[name] for name in sizes) >= 9
    first = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    assert first == [figures.COLOURS[name] for name in ("blue", "orange", "green")]


def luminance(colour):
    """Relative luminance after WCAG 2.2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", sorted(set(figures.COLOURS) - {"light", "sky"}))
def test_colours_of_text_and_lines_stand_out_from_white(name):
    assert 1.05 / (luminance(figures.COLOURS[name]) + 0.05) >= 4.5
