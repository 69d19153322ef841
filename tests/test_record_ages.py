from collections import Counter
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import surpyval
from hypothesis import given
from hypothesis import strategies as st

from helpers import record_ages, record_ages_section, records
from helpers.disclosure import MINIMUM_CELL
from helpers.inputs import once_each
from helpers.results import Results
from record_files import DECLINED, truth, write

pytestmark = pytest.mark.usefixtures("record_cache")
FIRST = date(2018, 1, 1)
MEAN = 60.0
MEDIAN = int(MEAN * np.log(2))  # in completed days
BOOKED = "Booked into Detention"


def rows_of(cases):
    """Records of (day of issue, day of end or None, reason or None), days from `FIRST`."""
    plain = truth(1)[0] | {"person": None, "apprehension_date": None}
    return [
        plain
        | {
            "detainer_prepare_date": FIRST + timedelta(days=int(issued)),
            "detainer_lift_date": None if ended is None else FIRST + timedelta(days=int(ended)),
            "lift_reason": reason,
        }
        for issued, ended, reason in cases
    ]


def simulated(seed, number=1500, span=200):
    """Detainers of exponential life, some seen open at the end of the records."""
    rng = np.random.default_rng(seed)
    issued = np.sort(rng.integers(0, span, number))
    ended = issued + np.floor(rng.exponential(MEAN, number)).astype(int)
    declined = rng.random(number) < 0.3
    return [
        (i, *((None, None) if e >= span else (e, DECLINED if d else BOOKED)))
        for i, e, d in zip(issued, ended, declined, strict=True)
    ]


def lives_of(folder, cases, **options):
    read = records.read(write(folder, "icfo_2025_18038", rows_of(cases)))
    with records.connect(read) as database:
        return record_ages.lives(database, **options)


def fates(found):
    return dict(found.counts.itertuples(index=False))


def test_every_row_has_one_fate_and_each_is_counted(tmp_path):
    cases = [(day, day + 5, BOOKED) for day in range(40)]
    cases += [(day, day + 9, DECLINED) for day in range(20)]
    cases += [(day, None, None) for day in range(13)]
    cases += [(day, None, BOOKED) for day in range(12)]
    cases += [(day, day - 3, DECLINED) for day in range(3, 7)]
    cases += [(16_000, None, None)] * 14  # in a year that cannot be
    made = rows_of(cases)
    for row in made[:2]:  # of one person and day: the second is likely a repeat
        row |= {"person": "f" * 40, "detainer_prepare_date": FIRST}
    read = records.read(write(tmp_path, "icfo_2025_18038", made))
    with records.connect(read) as database:
        found = record_ages.lives(database)
    assert found.until == FIRST + timedelta(days=39 - MINIMUM_CELL + 1)
    assert sum(fates(found).values()) == len(cases)
    late = [day for day in range(40) if FIRST + timedelta(days=day + 5) > found.until]
    assert fates(found) == {
        "declined": 20,
        "ended": 40 - len(late) - 1,
        "open": 13 + len(late),
        "undated": 12,
        "backwards": 4,
        "repeated": 1,
        "unissued": 14,
    }
    of_age = found.by_age.set_index("days")
    assert of_age.loc[9, "declined"] == 20
    assert of_age.loc[5, "ended"] == 40 - len(late) - 1
    assert of_age[["declined", "ended", "open", "undated"]].sum().tolist() == [
        fates(found)[name] for name in ("declined", "ended", "open", "undated")
    ]


def test_a_few_mistyped_years_do_not_move_the_end_of_the_records(tmp_path):
    cases = [(day, day + 1, BOOKED) for day in range(100)]
    wrong = [(9000, None, None)] * (MINIMUM_CELL - 2)
    assert lives_of(tmp_path, cases + wrong).until < FIRST + timedelta(days=100)


def test_too_few_rows_have_no_lives(tmp_path):
    assert lives_of(tmp_path, [(0, 1, BOOKED)] * (MINIMUM_CELL - 1)) is None


def test_the_share_still_open_is_that_of_another_library_and_of_the_definition():
    rng = np.random.default_rng(5)
    ends, censored = rng.integers(1, 9, (2, 30))
    curve = record_ages.curve(record_ages.survival(ends, censored), np.arange(30))
    at_risk = (ends + censored)[::-1].cumsum()[::-1]
    by_hand = np.cumprod(1 - ends / at_risk)
    np.testing.assert_allclose(curve["still_open"], by_hand, rtol=1e-12)
    age = np.tile(np.arange(1.0, 31), 2)
    other = surpyval.KaplanMeier.fit(
        age, c=np.repeat([0, 1], 30), n=np.concatenate([ends, censored])
    )
    np.testing.assert_allclose(other.R, by_hand, rtol=1e-9)


def test_the_band_is_that_of_hall_and_wellner_and_ends_where_none_is_open():
    ends, censored = np.array([0, 5, 10, 10, 5]), np.array([0, 3, 3, 3, 0])
    curve = record_ages.curve(record_ages.survival(ends, censored), np.arange(5))
    assert curve["still_open"].iloc[[0, -1]].tolist() == [1, 0]
    assert curve.iloc[0][["low", "high"]].tolist() == [1, 1]
    assert curve.iloc[-1][["low", "high"]].isna().all()
    inside = curve.iloc[1:-1]
    assert (inside["low"] < inside["still_open"]).all()
    assert (inside["still_open"] < inside["high"]).all()
    # On the scale of log(-log), where the half width is 1.3581 (1 + n s2) / (sqrt(n) |log S|).
    n, share = 39, 34 / 39
    s2 = 5 / (39 * 34)
    width = 1.3581 * (1 + n * s2) / (np.sqrt(n) * abs(np.log(share)))
    assert curve["low"].iloc[1] == pytest.approx(share ** np.exp(width))
    assert curve["high"].iloc[1] == pytest.approx(share ** np.exp(-width))


def test_a_known_mean_life_is_recovered_although_many_are_still_open(tmp_path):
    found = lives_of(tmp_path, simulated(1))
    assert fates(found)["open"] > 300
    days = record_ages.grid(found.by_age)
    curve = record_ages.survival(*found.ends_and_open)
    half = record_ages.quantile(curve, 0.5, days)
    assert half.low <= MEDIAN <= half.high
    naive = record_ages.exact_quantile(found.by_age, 0.5, days)
    assert naive.high < MEDIAN  # of those that had ended only: too short


def test_the_intervals_hold_the_truth_about_as_often_as_they_say():
    held, held_band, number = 0, 0, 400
    share = np.exp(-np.arange(1, 150) / MEAN)
    for seed in range(number):
        cases = simulated(seed, number=400)
        ends, censored = np.zeros((2, 201), dtype=int)
        for issued, ended, _ in cases:
            if ended is None:
                censored[200 - issued] += 1
            else:
                ends[ended - issued] += 1
        found = record_ages.survival(ends, censored)
        half = record_ages.quantile(found, 0.5, np.arange(200))
        held += half.low <= MEDIAN <= half.high
        curve = record_ages.curve(found, np.arange(149)).iloc[:149]
        held_band += curve["low"].le(share + 1e-12).all() and curve["high"].ge(share).all()
    error = np.sqrt(0.95 * 0.05 / number)
    assert held / number > 0.95 - 3 * error
    assert held_band / number > 0.95 - 3 * error


def test_exact_ages_of_declined_detainers_are_their_quantiles(tmp_path):
    cases = [(day, day + 3 * (day % 20), DECLINED) for day in range(200) for _ in range(12)]
    found = lives_of(tmp_path, cases + [(day, day + 1, BOOKED) for day in range(400)])
    ages = np.repeat(found.by_age["days"], found.by_age["declined"])
    days = found.by_age["days"].to_numpy()
    for share in record_ages_section.SHARES:
        exact = record_ages.exact_quantile(found.by_age, share, days)
        assert exact.days == np.quantile(ages, share, method="inverted_cdf")
        assert exact.low <= exact.days <= exact.high


def test_an_interval_between_two_days_is_the_day_itself():
    ends = np.full(10, 100_000)
    found = record_ages.quantile(record_ages.survival(ends, 0 * ends), 0.55, np.arange(10))
    assert found == record_ages.Quantile(5, 5, 5)


def test_detainers_whose_end_has_no_day_bound_the_median(tmp_path):
    cases = simulated(3)
    dated = lives_of(tmp_path, cases)
    undated = [(i, None, r) if e is not None and e % 2 else (i, e, r) for i, e, r in cases]
    found = lives_of(tmp_path, undated)
    days = found.by_age["days"].to_numpy()
    least, most = record_ages.medians_whatever_undated(found, days)
    middle = record_ages.quantile(record_ages.survival(*dated.ends_and_open), 0.5, days)
    assert least.days < middle.days
    assert most.days is None or middle.days < most.days


@given(
    st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=1, max_size=60),
    st.integers(2, 11),
)
def test_between_days_shown_no_count_is_small(flows, minimum):
    by_age = pd.DataFrame(flows, columns=["declined", "ended", "open"])
    by_age.insert(0, "days", range(len(by_age)))
    shown = record_ages.grid(by_age, minimum)
    if not len(shown):
        return
    if by_age["declined"].sum() < minimum:
        by_age = by_age.assign(ended=by_age["ended"] + by_age["declined"], declined=0)
    tells_little(by_age[["declined", "ended", "open"]], shown, minimum)


def tells_little(counts, shown, minimum):
    edges = [0, *(shown + 1), len(counts)]
    for start, stop in pairwise(edges):
        between = counts.to_numpy()[start:stop].sum(axis=0)
        assert ((between == 0) | (between >= minimum)).all()


@given(
    st.lists(st.tuples(*[st.integers(0, 30)] * 3), min_size=1, max_size=60),
    st.integers(2, 11),
)
def test_between_later_days_no_count_of_all_ends_is_small(flows, minimum):
    by_age = pd.DataFrame(flows, columns=["declined", "ended", "open"])
    by_age.insert(0, "days", range(len(by_age)))
    days = record_ages.grid(by_age, minimum)
    every = record_ages.with_later_days(by_age, days, minimum)
    assert every[: len(days)].tolist() == days.tolist()
    assert every.tolist() == sorted(set(every.tolist()))
    ends = by_age["declined"] + by_age["ended"]
    if len(every):
        tells_little(pd.DataFrame({"ends": ends, "open": by_age["open"]}), every, minimum)


def test_few_old_declined_detainers_do_not_cut_the_lives_of_all_short():
    by_age = pd.DataFrame({"days": range(60), "declined": 0, "ended": 40, "open": 20})
    by_age.loc[:9, "declined"] = 15
    by_age.loc[50, "declined"] = 3
    days = record_ages.grid(by_age)
    every = record_ages.with_later_days(by_age, days)
    assert days.max() < 10
    assert every.tolist() == [*days, *range(days.max() + 1, 60)]


# The section


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("DETAINERS_OUT", str(tmp_path / "out"))
    return Results("02_detainer_age")


def section(results, path):
    return list(record_ages_section.section(results, str(path)))


def put(results):
    return results._own


def told(pieces):
    texts = (piece.data for piece in pieces if isinstance(piece.data, str))
    return " ".join(" ".join(texts).split())


def test_the_section_puts_lives_with_interval_method_and_the_file_as_input(tmp_path, results):
    path = write(tmp_path, "icfo_2025_18038", rows_of(simulated(2)))
    pieces = section(results, path)
    found = put(results)["ages.records.ended.days_50_percent"]
    assert found["level"] == 0.95
    low, high = found["interval"]
    assert low <= MEDIAN <= high
    for name, result in put(results).items():
        once_each(result["inputs"], name)
        assert result["inputs"][0].startswith("records:icfo_2025_18038.xlsx@")
        assert result["synthetic"] is False
    assert str(tmp_path) not in told(pieces)
    figure = tmp_path / "out/figures/scratch/ages_records.json"
    assert str(tmp_path) not in figure.read_text(encoding="utf-8")


def test_everything_shown_is_of_days_that_may_be_shown(tmp_path, results):
    path = write(tmp_path, "icfo_2025_18038", rows_of(simulated(4)))
    section(results, path)
    with records.connect(records.read(path)) as database:
        by_age = record_ages.lives(database).by_age
    of_declined = record_ages.grid(by_age)
    days = set(record_ages.with_later_days(by_age, of_declined).tolist())
    data = pd.read_csv(tmp_path / "out/figures/scratch/ages_records.csv")
    assert set(data["days"]) == days
    assert set(data.dropna(subset="declined_not_older")["days"]) == set(of_declined.tolist())
    pd.testing.assert_frame_equal(data, data.round(3), check_exact=True)
    quantiles = {name: found for name, found in put(results).items() if "days_" in name}
    assert quantiles
    for name, found in quantiles.items():
        allowed = set(of_declined.tolist()) if ".declined." in name else days
        assert {found["value"], *found["interval"]} <= allowed | {0, None}
    counts = [found["value"] for name, found in put(results).items() if name.endswith(".n")]
    assert all(count >= MINIMUM_CELL for count in counts)


def test_small_counts_are_hidden_and_cannot_be_worked_out_from_the_total(tmp_path, results):
    cases = simulated(6) + [(50, 40, BOOKED)] * 5
    pieces = section(results, write(tmp_path, "icfo_2025_18038", rows_of(cases)))
    assert "ages.records.backwards.n" not in put(results)
    hidden = [name for name in record_ages.FATES if f"ages.records.{name}.n" not in put(results)]
    assert len(set(hidden) - {"undated", "repeated", "unissued"}) > 1  # those are 0: no row
    assert "hidden" in told(pieces)


@pytest.mark.parametrize("layout", ["cilp_2026", "npr_second_set"])
def test_records_without_days_of_the_end_are_told_so_and_nothing_is_estimated(
    tmp_path, results, layout
):
    pieces = section(results, write(tmp_path, layout, truth(200)))
    assert "No life can be estimated" in told(pieces)
    assert not [name for name in put(results) if "days_" in name]


def test_a_handful_of_records_says_nothing_of_them(tmp_path, results):
    pieces = section(results, write(tmp_path, "icfo_2025_18038", rows_of(simulated(1)[:8])))
    assert "No life can be estimated" in told(pieces)
    assert put(results) == {}


def test_every_sentence_can_be_said(tmp_path, results):
    cases = simulated(8)
    cases = [(i, None, r) if e is not None and e % 9 == 0 else (i, e, r) for i, e, r in cases]
    cases += [(60 + day % 30, day, BOOKED) for day in range(20)]
    made = rows_of(cases)
    for number in range(30):
        made.append(made[number] | {"person": f"{number:040x}"})
        made[number] |= {"person": f"{number:040x}"}
    pieces = section(results, write(tmp_path, "icfo_2025_18038", made))
    for name in record_ages_section._SENTENCES:
        assert f"results.json#{name}" in told(pieces), Counter(put(results))


def test_the_median_is_earliest_if_the_undated_ended_at_once_and_latest_if_they_never_did():
    days = np.arange(10)
    by_age = pd.DataFrame({"days": days, "declined": 0, "ended": 0, "open": 0, "undated": 0})
    by_age.loc[[2, 8], "ended"] = 6, 5
    by_age.loc[9, "undated"] = 12
    found = record_ages.Lives(FIRST, pd.DataFrame(), by_age)
    least, most = record_ages.medians_whatever_undated(found, days)
    assert record_ages.quantile(record_ages.survival(*found.ends_and_open), 0.5, days).days == 2
    assert (least.days, most.days) == (0, None)
