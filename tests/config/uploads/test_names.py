"""Names that leave the house again (row 37 of the checklist)."""

import pytest

from config.uploads.names import clean_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("passport.jpg", "passport.png"),
        ("Pässe und Ämter.JPEG", "Pässe und Ämter.png"),
        ("../../etc/passwd", "passwd.png"),
        ("..\\..\\windows\\system.ini", "system.png"),
        ('a"b\r\nSet-Cookie: x=1.jpg', "a_b_Set-Cookie_ x_1.png"),
        ("gpj.\u202eexe.pdf", "gpj._exe.png"),
        ("invoice.pdf.exe", "invoice.pdf.png"),
        ("\0\0", "identity.png"),
        ("...", "identity.png"),
        ("", "identity.png"),
        (".htaccess", "htaccess.png"),
        ("=1+1.csv", "1_1.png"),
        ("x" * 300, "x" * 80 + ".png"),
        ("a\u0301.jpg", "á.png"),
    ],
)
def test_nothing_is_left_that_could_be_misread(given, kept):
    assert clean_name(given, ending="png", otherwise="identity") == kept
