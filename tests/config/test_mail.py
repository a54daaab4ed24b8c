"""Mails as they would travel, in a folder."""

import email
from email.policy import default

import pytest
from django.core import mail as django_mail
from django.template import TemplateDoesNotExist

from config import mail


@pytest.fixture
def folder(settings, tmp_path):
    settings.EMAIL_BACKEND = "config.mail.FolderBackend"
    settings.MAIL_FOLDER = tmp_path / "mail"
    return settings.MAIL_FOLDER


@pytest.fixture
def template(settings, tmp_path):
    """A mail that greets."""
    made = tmp_path / "templates" / "mail"
    made.mkdir(parents=True)
    for kind in ("txt", "html"):
        text = f'{{% extends "mail/base.{kind}" %}}{{% block body %}}Hello {{{{ name }}}}!{{% endblock %}}'
        (made / f"hello.{kind}").write_text(text)
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], tmp_path / "templates"]}]


def read(path):
    return email.message_from_bytes(path.read_bytes(), policy=default)


def test_a_mail_is_one_file_with_text_and_html(folder, template, settings):
    mail.send(to="ann@example.test", subject="Welcome", template="hello", context={"name": "Ann"})
    (path,) = folder.iterdir()
    assert path.suffix == ".eml"
    found = read(path)
    assert (found["To"], found["Subject"]) == ("ann@example.test", "Welcome")
    assert found["From"] == settings.DEFAULT_FROM_EMAIL
    assert found.get_body(("plain",)).get_content().startswith("Hello Ann!")
    assert "Hello Ann!" in found.get_body(("html",)).get_content()


def test_markup_in_a_name_is_escaped_in_html_and_only_there(folder, template):
    mail.send(to="ann@example.test", subject="x", template="hello", context={"name": "<b>Ann & Co</b>"})
    found = read(next(folder.iterdir()))
    assert "Hello <b>Ann & Co</b>!" in found.get_body(("plain",)).get_content()
    assert "Hello &lt;b&gt;Ann &amp; Co&lt;/b&gt;!" in found.get_body(("html",)).get_content()


def test_line_breaks_in_a_subject_make_no_header(folder, template):
    mail.send(to="ann@example.test", subject="a\r\nBcc: all@example.test", template="hello", context={"name": "x"})
    found = read(next(folder.iterdir()))
    assert found["Bcc"] is None
    assert found["Subject"] == "a Bcc: all@example.test"


def test_every_mail_has_a_file_of_its_own(folder, template):
    for _ in range(3):
        mail.send(to=["a@example.test", "b@example.test"], subject="x", template="hello", context={"name": "x"})
    assert len(list(folder.glob("*.eml"))) == 3
    assert list(folder.glob(".*")) == []


def test_a_missing_template_sends_nothing(folder):
    with pytest.raises(TemplateDoesNotExist):
        mail.send(to="ann@example.test", subject="x", template="none")
    assert not folder.exists()
    assert django_mail.outbox == []
