"""Getting at the rows: files, gzip, HTTP, and everything that can be wrong with them."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pools.services.schedule import ScheduleError, open_rows, read_schedule
from pools.services.schedule.source import LONGEST_LINE, name_of

TEXT = "a,b\n1,2\n3,4\n"


def rows_of(location, progress=None):
    with open_rows(str(location), progress) as rows:
        return [dict(row) for row in rows]


def put(tmp_path, content: bytes):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    return path


@pytest.fixture
def server():
    """Answers with `server.body`, `server.status` and `server.headers`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(this.status)
            for name, value in this.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(this.body)

        def log_message(self, *args):
            pass

    this = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    this.body, this.status, this.headers = TEXT.encode(), 200, {"Content-Length": str(len(TEXT))}
    this.address = f"http://127.0.0.1:{this.server_port}/games.csv?token=secret"
    thread = threading.Thread(target=this.serve_forever)
    thread.start()
    yield this
    this.shutdown()
    thread.join()
    this.server_close()


@pytest.mark.parametrize(
    "content", [TEXT.encode(), gzip.compress(TEXT.encode(), mtime=0), b"\xef\xbb\xbf" + TEXT.encode()]
)
def test_plain_and_gzipped_files_and_a_byte_order_mark_are_read(tmp_path, content):
    assert rows_of(put(tmp_path, content)) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_a_row_knows_its_line(tmp_path):
    with open_rows(str(put(tmp_path, b'a,b\n"x\ny",2\n\n3,4\n'))) as rows:
        assert [(row.line, row["a"]) for row in rows] == [(3, "x\ny"), (5, "3")]


def test_progress_ends_at_the_size_of_the_file(tmp_path):
    seen = []
    rows_of(put(tmp_path, TEXT.encode()), lambda done, size: seen.append((done, size)))
    assert seen[-1] == (len(TEXT), len(TEXT))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "large.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("a,b\n")
        for _ in range(50):
            file.write("1,2\n" * 20_000)
    import tracemalloc

    tracemalloc.start()
    with open_rows(str(path)) as rows:
        assert sum(1 for _ in rows) == 1_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a,b\n1\n", "file.csv, line 2: 1 values for 2 columns."),
        (b"a,a\n1,2\n", "file.csv: a column occurs twice in the header."),
        (b"a,b\n\xff,2\n", "file.csv: not a text in UTF-8."),
        (b'a,b\n"1,2\n', "file.csv: not a CSV file (unexpected end of data)."),
        (b"a,b\n" + b"x" * (LONGEST_LINE + 10) + b",1\n", "file.csv, line 2: longer than 65536 characters."),
        (gzip.compress(TEXT.encode() * 99, mtime=0)[:-20], "file.csv: broken or incomplete."),
    ],
)
def test_a_broken_file_is_refused_in_words(tmp_path, content, complaint):
    with pytest.raises(ScheduleError) as refusal:
        rows_of(put(tmp_path, content))
    assert refusal.value.message == complaint


def test_a_missing_file_is_refused_in_words(tmp_path):
    with pytest.raises(ScheduleError, match=r"absent.csv: cannot be read: .*No such file"):
        rows_of(tmp_path / "absent.csv")


def test_other_addresses_than_http_are_refused():
    with pytest.raises(ScheduleError, match="only files and http"):
        rows_of("ftp://example.test/games.csv")


def test_an_address_is_read_and_its_secrets_are_not_repeated(server):
    assert rows_of(server.address) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    assert name_of(server.address) == "games.csv"


def test_an_address_without_a_length_is_read_with_progress_unknown(server):
    server.body, server.headers = gzip.compress(TEXT.encode(), mtime=0), {}
    seen = []
    assert len(rows_of(server.address, lambda done, size: seen.append((done, size)))) == 2
    assert seen[-1] == (len(server.body), None)


def test_a_server_that_refuses_or_hangs_up_is_named(server):
    server.status = 404
    with pytest.raises(ScheduleError, match=r"^games.csv: the server answered 404"):
        rows_of(server.address)
    server.status, server.headers = 200, {"Content-Length": "9999"}
    with pytest.raises(ScheduleError, match=r"^games.csv: broken or incomplete."):
        rows_of(server.address)


def test_nobody_listening_is_named():
    with pytest.raises(ScheduleError, match=r"^games.csv: cannot be read"):
        rows_of("http://127.0.0.1:9/games.csv")


def test_a_file_of_neither_format_is_refused_with_what_it_lacks(tmp_path):
    with pytest.raises(ScheduleError) as refusal:
        read_schedule(str(put(tmp_path, TEXT.encode())), season="2024")
    assert refusal.value.message.startswith("file.csv: not a schedule that can be read.")
    assert "nflverse games lack away_score, away_team, game_id" in refusal.value.message
    assert "Premier League fixtures lack away, away_goals, code" in refusal.value.message


def test_an_empty_file_is_refused(tmp_path):
    with pytest.raises(ScheduleError, match="not a schedule"):
        read_schedule(str(put(tmp_path, b"")), season="2024")


def test_a_file_that_unpacks_without_end_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr("pools.services.schedule.source.LARGEST_TEXT", 1000)
    with pytest.raises(ScheduleError, match=r"^file.csv: unpacks to more than 1000 characters"):
        rows_of(put(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 1000, mtime=0)))
