import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvae.errors import InputError
from cvae.inputs import Limits
from cvae.tables import check_table_bytes, parse_table

TABLE = [[0.5, -2, 3e-3], [4, 5, 1e6]]
FINITE = st.floats(-1e6, 1e6, width=32)


@pytest.mark.parametrize(
    "text",
    [
        "0.5,-2,3e-3\n4,5,1e6\n",
        "0.5, -2, 3e-3\r\n4, 5, 1e6\r\n\r\n",
        "0.5;-2;3e-3\n4;5;1e6",
        "0.5\t-2\t3e-3\r4\t5\t1e6\n \n",
        "  .5  -2.   3e-3\n4 +5 1E6",
        "\ufeff0.5,-2,.003\n4,5,1000000\n\n",
        "x,y,z\n0.5,-2,3e-3\n4,5,1e6\n",
        "x y z\n0.5 -2 3e-3\n4 5 1e6\n",
    ],
)
def test_tables_are_read_as_programs_write_them(text: str) -> None:
    expected = np.array(TABLE, np.float32)
    for content in (text, text.encode()):
        table = parse_table(content, "a.csv", (3,))
        assert table.dtype == np.float32 and np.array_equal(table, expected)


@given(
    table=arrays(np.float32, st.tuples(st.integers(1, 5), st.integers(1, 7)), elements=FINITE),
    separator=st.sampled_from([",", ";", "\t", " ", " , "]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    header=st.booleans(),
)
def test_what_is_written_is_read(table: np.ndarray, separator: str, end: str, header: bool) -> None:
    rows = [[repr(float(value)) for value in row] for row in table]
    lines = [separator.join(row) for row in ([["name"] * table.shape[1]] if header else []) + rows]
    assert np.array_equal(parse_table(end.join(lines) + end, "a.csv", range(1, 8)), table)


JUNK = st.text(st.sampled_from("0123456789+-.eEnaif,; \t\r\n\ufeff_\0١é")) | st.text() | st.binary()


@given(content=JUNK)
def test_junk_is_a_table_or_refused_in_one_sentence(content: str | bytes) -> None:
    try:
        table = parse_table(content, "a.csv", (1, 2, 3))
    except InputError as error:
        assert str(error).endswith(".") and "\n" not in str(error) and "a.csv" in str(error)
    else:
        assert table.shape[1] in (1, 2, 3) and np.isfinite(table).all()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("1,2,3\n1,2,3\n1,2\n", 'Line 3 of "a.csv" has 2 numbers; expected 3, as in line 1.'),
        ("x,y,z\n1,2,3\n1,2,3,4\n", 'Line 3 of "a.csv" has 4 numbers; expected 3, as in line 2.'),
        ("1,2,3\n1,two,3\n", 'Line 2 of "a.csv" has "two"; expected numbers such as -0.25.'),
        ("1;2,5;3\n", 'Line 1 of "a.csv" has "2,5"; expected numbers such as -0.25.'),
        ("1,2,3\n1,,3\n", 'Line 2 of "a.csv" has an empty cell; expected numbers such as -0.25.'),
        ("1,2,3\n1,1_0,3\n", 'Line 2 of "a.csv" has "1_0"; expected numbers such as -0.25.'),
        ("1,2,nan\n", 'Line 1 of "a.csv" has "nan"; expected numbers from -1,000,000 to 1,000,000.'),
        ("1,-inf,3\n", 'Line 1 of "a.csv" has "-inf"; expected numbers from -1,000,000 to 1,000,000.'),
        ("1,2e6,3\n", 'Line 1 of "a.csv" has "2e6"; expected numbers from -1,000,000 to 1,000,000.'),
        ("1,2,3\n\n1,2,3\n", 'Line 2 of "a.csv" is empty; expected numbers.'),
        ("1,2\n1,2\n", 'The lines of "a.csv" have 2 numbers; expected 3.'),
        ("7\n", 'The lines of "a.csv" have 1 number; expected 3.'),
        ("", '"a.csv" is empty; expected rows of 3 numbers.'),
        (" \r\n\n", '"a.csv" is empty; expected rows of 3 numbers.'),
        ("x,y,z\n", '"a.csv" has no numbers in it; expected rows of 3 numbers.'),
        ("1,2,3\n" * 6, '"a.csv" has more than the 5 frames that are accepted.'),
        (b"\x89PNG\r\n\x1a\n", '"a.csv" is no text (UTF-8); expected a table of numbers, such as a CSV.'),
        (b"1,2,3\n\xff\n", '"a.csv" is no text (UTF-8); expected a table of numbers, such as a CSV.'),
        (
            " " * 5001,
            '"a.csv" has 5,001 bytes; expected a table of at most 5 rows of numbers, 5,000 bytes.',
        ),
    ],
)
def test_faults_are_named_with_their_line(content: str | bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        parse_table(content, "a.csv", (3,), Limits(max_frames=5))


def test_the_numbers_of_columns_to_choose_from_are_listed() -> None:
    with pytest.raises(InputError, match=r"have 2 numbers; expected 3, 4 or 7\."):
        parse_table("1,2", "a.csv", (4, 3, 7))


def test_a_file_too_large_is_refused_by_its_size_alone() -> None:
    check_table_bytes("a.csv", 5000, Limits(max_frames=5))
    with pytest.raises(InputError, match="has 5,001 bytes"):
        check_table_bytes("a.csv", 5001, Limits(max_frames=5))
