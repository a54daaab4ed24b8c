"""Which files are taken, and what of them is kept (row 36 of the checklist)."""

import io
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from config.uploads import pictures
from config.uploads.inspection import MEGABYTE, take
from config.uploads.papers import MOST_SECONDS
from config.uploads.refusals import FileRefused
from tests.support import papers

LARGEST = 5 * MEGABYTE


def taken(content, **how):
    return take(content, **({"largest": LARGEST, "papers_too": True} | how))


def refusal(content, **how):
    with pytest.raises(FileRefused) as refused:
        taken(content, **how)
    return refused.value.details["reason"]


class TestPictures:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
    def test_are_made_anew(self, kind):
        content = papers.picture(kind)

        found = taken(content)

        assert (found.content_type, found.ending) == ("image/jpeg", "jpg")
        assert found.content != content
        assert Image.open(io.BytesIO(found.content)).size == (60, 40)

    def test_keep_what_shines_through(self):
        found = taken(papers.picture("PNG", mode="RGBA", colour=(1, 2, 3, 128)))

        assert (found.content_type, found.ending) == ("image/png", "png")
        assert Image.open(io.BytesIO(found.content)).getpixel((0, 0)) == (1, 2, 3, 128)

    def test_lose_all_that_came_along_and_stand_upright(self):
        content = papers.photo_with_a_place()
        assert b"SecretPhone" in content

        found = taken(content).content

        assert not Image.open(io.BytesIO(found)).getexif()
        assert Image.open(io.BytesIO(found)).size == (40, 60)
        for secret in (b"SecretPhone", b"secret comment", b"another secret", b"Exif"):
            assert secret not in found

    def test_lose_what_stands_behind_their_end(self):
        evil = b"<script>alert(1)</script>PK\x03\x04"
        assert evil not in taken(papers.picture("PNG") + evil).content
        assert evil not in taken(papers.picture("JPEG") + evil).content

    def test_are_scaled_down(self):
        found = taken(papers.picture("JPEG", size=(6000, 3000)), longest_side=512)

        assert Image.open(io.BytesIO(found.content)).size == (512, 256)

    def test_that_are_huge_are_not_decoded_whole(self):
        """At a half: else it would have been scaled down to 4096 after 64 million pixels had been decoded."""
        found = taken(papers.picture("JPEG", size=(8000, 8000), mode="L", colour=9))

        assert Image.open(io.BytesIO(found.content)).size == (4000, 4000)

    def test_are_made_one_after_the_other(self, monkeypatch):
        """Each can take hundreds of megabytes meanwhile."""
        inside, most, plain = [], [], pictures._plain

        def watched(*given):
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.02)
            made = plain(*given)
            inside.pop()
            return made

        monkeypatch.setattr(pictures, "_plain", watched)
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(taken, [papers.picture("PNG")] * 8))

        assert most == [1] * 8

    @pytest.mark.parametrize(
        ("width", "height"), [(20_000, 20_000), (20_000, 10), (4097, 100), (2**31 - 1, 1), (60_000, 60_000)]
    )
    def test_that_would_burst_are_refused_by_their_header(self, width, height):
        assert refusal(papers.png_that_claims(width, height)) in ("too_many_pixels", "unreadable")

    def test_of_20_000_pixels_are_refused_as_such(self):
        assert refusal(papers.png_that_claims(20_000, 20_000)) == "too_many_pixels"
        assert refusal(papers.picture("JPEG", size=(20_000, 20))) == "too_many_pixels"

    @pytest.mark.parametrize("keep", [20, 100, 200])
    def test_that_are_cut_off_are_refused(self, keep):
        assert refusal(papers.picture("PNG", size=(300, 300))[:keep]) in ("unreadable", "type_not_taken")

    def test_with_html_behind_a_png_s_beginning_are_refused(self):
        assert refusal(b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script></html>" + b" " * 300) == "unreadable"

    @pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "ICO"])
    def test_of_other_kinds_are_refused(self, kind):
        assert refusal(papers.picture(kind, size=(32, 32))) == "type_not_taken"

    def test_of_many_frames_keep_the_first(self):
        file = io.BytesIO()
        first, second = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
        first.save(file, "WEBP", save_all=True, append_images=[second], lossless=True)

        red, _, blue = Image.open(io.BytesIO(taken(file.getvalue()).content)).getpixel((4, 4))
        assert red > 200 > 60 > blue


class TestPapers:
    def test_are_kept_as_they_came(self):
        content = papers.paper(3)

        found = taken(content)

        assert (found.content, found.content_type, found.ending) == (content, "application/pdf", "pdf")

    def test_are_not_taken_where_only_pictures_are(self):
        assert refusal(papers.paper(), papers_too=False) == "type_not_taken"

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (papers.encrypted_paper(), "encrypted"),
            (papers.paper_with_script(), "active_content"),
            (papers.paper_with_file(), "hidden_content"),
            (papers.paper_with_action("/Launch"), "active_content"),
            (papers.paper_with_action("/Launch", of_page=True), "active_content"),
            (papers.paper_with_action("/SubmitForm", of_page=True), "active_content"),
            (papers.paper_with_action("/URI"), "active_content"),
            (papers.paper(51), "too_complex"),
            (papers.paper() + b"PK\x03\x04 a second file", "unreadable"),
            (b"GIF89a" + papers.paper(), "type_not_taken"),
            (b"<html>" + papers.paper(), "type_not_taken"),
            (papers.paper()[:-200], "unreadable"),
            (b"%PDF-1.7\n" + b"x" * 500 + b"\n%%EOF", "unreadable"),
        ],
    )
    def test_that_act_carry_or_hide_are_refused(self, content, reason):
        assert refusal(content) == reason

    def test_of_packed_objects_are_taken(self):
        content = papers.paper_of_packed_objects(20, inflated=100)

        assert taken(content).content == content

    def test_one_part_that_bursts_is_refused(self):
        assert refusal(papers.paper_of_packed_objects(1, inflated=60 * MEGABYTE)) == "unreadable"

    @pytest.mark.slow
    def test_many_parts_that_each_take_long_are_refused_before_they_have_taken_minutes(self):
        content = papers.paper_of_packed_objects(1_500, inflated=MEGABYTE)
        assert len(content) < LARGEST
        began = time.thread_time()

        assert refusal(content) == "too_complex"

        assert time.thread_time() - began < 2 * MOST_SECONDS

    def test_names_in_disguise_are_read_as_what_they_are(self):
        """`#61` is the letter a: readers know that, and so do we."""
        disguised = papers.paper_with_action("/JavaScript", of_page=True)
        assert b"/JavaScript" in disguised

        assert refusal(disguised) == "active_content"
        assert refusal(disguised.replace(b"/JavaScript", b"/JavaScrip#74")) == "active_content"


class TestOthers:
    def test_empty_and_too_large_ones_are_refused(self):
        assert refusal(b"") == "empty"
        assert refusal(papers.picture() + b"\0" * LARGEST) == "too_large"
        assert refusal(b"x" * 11, largest=10) == "too_large"

    def test_one_byte_more_is_too_much(self):
        content = papers.picture("PNG")
        assert taken(content, largest=len(content)).ending == "jpg"
        assert refusal(content, largest=len(content) - 1) == "too_large"

    @pytest.mark.parametrize(
        "content",
        [
            b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            b"<!DOCTYPE html><script>alert(1)</script>",
            b"MZ\x90\x00" + b"\0" * 300,
            b"\x7fELF" + b"\0" * 300,
            b"#!/bin/sh\nrm -rf /",
            b"just words",
            b"\0" * 1000,
        ],
    )
    def test_of_no_kind_that_is_taken_are_refused(self, content):
        assert refusal(content) == "type_not_taken"

    def test_a_zip_bomb_is_not_even_opened(self):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros", b"\0" * 50_000_000)

        assert refusal(file.getvalue()) == "type_not_taken"
