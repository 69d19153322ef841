"""Small files of records in every published layout, with their documented quirks, from one truth.

All rows are invented; so are facilities, persons and dates.
"""

import gzip
import zipfile
from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd
import xlsxwriter

from helpers.records.columns import CANONICAL

MODERN_TYPE = "I247A - Immigration Detainer - Immigration Detainer - Notice of Action"
GROUPS = {
    "Booked into Detention": "taken_into_custody",
    "Detainer Declined by LEA": "declined",
    "Early Release": "left_custody",
    "Case Closed": "ended_by_ice",
    None: None,
}
REASONS = list(GROUPS)
DECLINED = REASONS[1]


def truth(rows=60):
    """Canonical values of every column that a layout may have."""
    return [
        {
            "detainer_prepare_date": date(2014, 3, 30) + timedelta(days=number // 2),
            "detainer_lift_date": date(2014, 5, 1) + timedelta(days=number) if number % 5 else None,
            "lift_reason": REASONS[number % len(REASONS)],
            "facility": ["SYNTHETIC COUNTY JAIL, 01", 'SYNTHETIC "OLD" JAIL', "CAÑON JAIL"][
                number % 3
            ],
            "facility_code": f"SYN{number % 3}",
            "city": "SPRINGFIELD",
            "state": ["PA", "TX"][number % 2],
            "aor": ["Philadelphia", "St Paul"][number % 2],
            "detainer_type": MODERN_TYPE,
            "detainer_form": "I-247A",
            "person": None if number % 8 == 7 else f"{number % 50:040x}",
            "citizenship": "MEXICO",
            "gender": "Male",
            "criminality": "1 Convicted Criminal",
            "threat_level": 1 + number % 3,
            "conviction": "Driving Under Influence Liquor",
            "apprehension_date": date(2014, 5, 1) + timedelta(days=number),
            "departed_date": None,
            "case_status": "ACTIVE",
        }
        for number in range(rows)
    ]


HEADS = {
    "npr_2007_2015": {
        "detainer_prepare_date": "Prepare Date",
        "lift_reason": "Detainer Lift Reason",
        "facility": "Detainer Detention Facility",
        "city": "City",
        "state": "State",
        "detainer_type": "Detainer Type",
    },
    "npr_second_set": {
        "detainer_prepare_date": "Prepare_Date",
        "lift_reason": "Detainer_Lift_Reason",
        "facility": "Detainer_Detention_Facility",
        "city": "City",
        "state": "State",
        "aor": "Area_Of_Responsibility",
        "detainer_type": "Detainer_Type",
    },
    "icfo_2025_18038": {
        "detainer_prepare_date": "Detainer_Prepare_Date",
        "detainer_lift_date": "Detainer_Lift_Date",
        "lift_reason": "Detainer_Lift_Reason",
        "facility": "Detainer_Detention_Facility",
        "facility_code": "Detainer_Detention_Facility_Code",
        "aor": "Detainer_AOR",
        "detainer_type": "Detainer_Type",
        "person": "Alien_Number_Unique_Identifier",
        "citizenship": "Citizenship_Country",
        "gender": "Gender",
        "criminality": "Detainer_Prepared_Criminality",
        "threat_level": "Detainer_Threat_Level",
        "conviction": "Detainer_Most_Serious_Conviction_Charge",
        "apprehension_date": "Apprehension_Date",
        "departed_date": "Departed_Date",
    },
    "cilp_2025": {
        "detainer_prepare_date": "Detainer Prepare Date",
        "state": "Facility State",
        "aor": "Facility AOR",
        "departed_date": "Departed Date",
        "case_status": "Case Status",
        "criminality": "Detainer Prepared Criminality",
        "facility": "Detention Facility",
        "facility_code": "Detention Facility Code",
        "city": "Facility City",
        "threat_level": "Detainer Prep Threat Level",
        "gender": "Gender",
        "citizenship": "Citizenship Country",
        "conviction": "Most Serious Conviction (MSC) Charge",
        "apprehension_date": "Apprehension Date",
        "lift_reason": "Detainer Lift Reason",
        "detainer_type": "Detainer Type",
        "person": "Unique Identifier",
    },
    "cilp_2026": {
        "detainer_prepare_date": "Detainer Prepare Date",
        "state": "Facility State",
        "aor": "Facility AOR",
        "departed_date": "Departed Date",
        "case_status": "Case Status",
        "criminality": "Detainer Criminality",
        "facility": "Detainer Facility",
        "facility_code": "Detainer Facility Code",
        "city": "Facility City",
        "threat_level": "Detainer Threat Level",
        "gender": "Gender",
        "citizenship": "Citizenship Country",
        "conviction": "MSC Charge",
        "apprehension_date": "Apprehension Date",
        "lift_reason": "Detainer Lift Reason",
        "detainer_type": "Detainer Type",
        "person": "Anonymized Identifier",
    },
}
HEADS["detainers_latest"] = {
    name: head.lower().replace(" (msc)", "").replace(" ", "_")
    for name, head in HEADS["cilp_2025"].items()
}
FILLERS = {
    "npr_2007_2015": ["Fiscal Year"],
    "npr_second_set": ["Osc_Served_Yes_No", "Osc_Served_Date", "Detainer_Lift_Reason_2_Code"],
    "icfo_2025_18038": ["Birth_Date", "EID_Person_ID", "Active_Yes_No"],
    "cilp_2025": ["Birth Date", *(f"Box {number} Yes No" for number in range(47))],
    "cilp_2026": ["Birth Date", *(f"Box {number} Yes No" for number in range(47))],
    "detainers_latest": ["birth_year", "duplicate_likely", "file_original", "row_original"],
}
"""The published releases have 65 columns; those that are not read may have any name."""

WORKBOOKS = ("icfo_2025_18038", "cilp_2025", "cilp_2026")
TEXTS = ("npr_2007_2015", "npr_second_set")
REDACTED = ("b(6), b(7)c", "b(6), b(7)C", "(b)(6)(b)(7)(c)", "(B)(6), (B)(7)(C)")


def grid(layout, rows):
    """Header and cells as a release has them: redactions, areas with their full name, fillers."""
    heads = HEADS[layout]
    header = [*heads.values(), *FILLERS[layout]]
    cells = []
    for number, row in enumerate(rows):
        written = {name: row.get(name) for name in heads}
        if "aor" in written and layout != "npr_second_set":
            area = "St. Paul" if row["aor"] == "St Paul" else row["aor"]
            written["aor"] = f"{area} Area of Responsibility"
        if "person" in written and row["person"] is None and layout != "detainers_latest":
            written["person"] = REDACTED[number % len(REDACTED)]
        cells.append([*written.values(), *([None] * len(FILLERS[layout]))])
    return header, cells


def write(folder, layout, rows=None, wrapped=""):
    """Write a file of a layout; `wrapped` puts it into `gz` or `zip`."""
    header, cells = grid(layout, truth() if rows is None else rows)
    if layout in WORKBOOKS:
        path = folder / f"{layout}.xlsx"
        _workbook(path, layout, header, cells)
    elif layout == "detainers_latest":
        path = folder / "detainers-latest.parquet"
        frame = pd.DataFrame(cells, columns=header)
        frame.to_parquet(path)
    else:
        path = folder / ("lea-detainers.txt" if layout == "npr_2007_2015" else "detainersfy9.csv")
        path.write_bytes(text(layout, header, cells).encode())
    return wrap(path, wrapped)


def wrap(path, wrapped):
    if wrapped == "gz":
        packed = path.with_name(f"{path.name}.gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        return packed
    if wrapped == "zip":
        packed = path.with_suffix(".zip")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, path.name)
        return packed
    return path


def text(layout, header, cells):
    """Comma text with dates as 3/5/14 and each second of two equal dates left out; or tab text."""
    tab = layout == "npr_second_set"
    lines, before = [header], None
    for row in cells:
        written = ["" if cell is None else str(cell) for cell in row]
        day = row[0]
        if tab:
            written[0] = f"{day:%m/%d/%Y}"
        else:
            written[0] = "" if day == before else f"{day.month}/{day.day}/{day:%y}"
        before = day
        lines.append(written)
    if tab:
        return "".join("\t".join(_quoted(cell, "\t") for cell in line) + "\r\n" for line in lines)
    return "".join(",".join(_quoted(cell, ",") for cell in line) + "\n" for line in lines)


def _quoted(cell, delimiter):
    quote = chr(34)
    if quote in cell or delimiter in cell:
        return quote + cell.replace(quote, quote * 2) + quote
    return cell


def _workbook(path, layout, header, cells):
    """Six banner rows, or for 2025-ICFO-18038 two sheets with headers in other places."""
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "m/d/yyyy"})
        if layout == "icfo_2025_18038":
            half = len(cells) // 2
            _sheet(book.add_worksheet("Detainers FY17"), day, 1, 0, header, cells[:half])
            _sheet(book.add_worksheet("Detainers FY18"), day, 4, 1, header, cells[half:])
        else:
            _sheet(book.add_worksheet("Detainers"), day, 6, 0, header, cells)


def _sheet(sheet, day, top, left, header, cells):
    for row in range(top):
        sheet.write(row, 0, f"U.S. Immigration and Customs Enforcement, line {row}")
    for at, line in enumerate([header, *cells]):
        for column, cell in enumerate(line):
            if isinstance(cell, date):
                sheet.write_datetime(top + at, left + column, datetime.combine(cell, time()), day)
            elif cell is not None:
                sheet.write(top + at, left + column, cell)


def expected(layout, rows=None):
    """The canonical columns of a layout's file, lineage and flags left out."""
    rows = truth() if rows is None else rows
    has = {*HEADS[layout], "lift_reason_group", "detainer_form"}
    made = [{**row, "lift_reason_group": GROUPS[row["lift_reason"]]} for row in rows]
    names = [column.name for column in CANONICAL[:-7]]
    return [{name: row.get(name) if name in has else None for name in names} for row in made]


def expanded(frame, dated=True):
    """Individual records, in the columns of 2025-ICFO-18038, that add up to a panel."""
    rows = frame.loc[frame.index.repeat(frame["issued"])]
    number = rows.groupby(["office", "week_start"]).cumcount()
    declined = number < rows["declined"]
    issued = rows["week_start"] + pd.to_timedelta(np.where(declined, 0, number % 7), unit="D")
    ended = (rows["week_start"] + pd.Timedelta(days=6)).where(declined) if dated else None
    made = {
        "Detainer_Prepare_Date": issued.dt.date,
        "Detainer_Lift_Date": None if ended is None else ended.dt.date,
        "Detainer_Lift_Reason": np.where(declined, DECLINED, None),
        "Detainer_Detention_Facility": "SYNTHETIC COUNTY JAIL",
        "Detainer_AOR": rows["office"] + " Area of Responsibility",
        "Alien_Number_Unique_Identifier": None,
    }
    return pd.DataFrame(made).reset_index(drop=True)


def policy_of(frame):
    """The days of the policy that a panel holds."""
    stops = frame[frame["stopped"]].groupby("office")["week_start"].min().rename("stopped")
    resumed = frame.groupby("office")["resumed"].first()
    return pd.concat([stops, resumed], axis=1).dropna(subset="stopped").reset_index()
