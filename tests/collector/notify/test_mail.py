import pytest

from agent.collector.notify.grouping import plan
from agent.collector.notify.mail import Mail, subject
from agent.errors import InputError, LinkError
from tests.collector.notify.test_grouping import due
from tests.simulators.broker import free_port
from tests.simulators.smtp import MailRelay


def mail(relay: MailRelay, *recipients: str) -> Mail:
    return Mail(relay.address, "wardtap@hospital.example", recipients or ("nurse@hospital.example",), 5)


def test_a_real_relay_takes_a_readable_mail() -> None:
    with MailRelay() as relay:
        mail(relay, "a@x.example", "b@x.example").deliver(plan([due(1)], 0, 10)[0].message)
    (letter,) = relay.letters
    assert (letter.sender, letter.recipients) == ("wardtap@hospital.example", ["a@x.example", "b@x.example"])
    assert letter.mail["Subject"] == "wardtap page: The pump did a thing."
    assert letter.mail["Auto-Submitted"] == "auto-generated"
    text = letter.mail.get_content()
    assert "Next step: Ask." in text
    assert "hosts: 61" in text


def test_a_digest_names_all_and_counts_the_rest() -> None:
    message = plan([due(number) for number in range(60)], 9, 10)[0].message
    with MailRelay() as relay:
        mail(relay).deliver(message)
    assert relay.letters[0].mail["Subject"] == "wardtap: 60 findings"
    assert "And 10 more" in relay.letters[0].mail.get_content()


def test_a_hostile_name_cannot_add_a_header_or_end_the_mail() -> None:
    evil = "x\r\nBcc: everybody@x.example\r\n\r\n.\r\nMAIL FROM:<evil@x.example>\r\n\u202e\x00"
    with MailRelay() as relay:
        mail(relay).deliver(plan([due(1, sentence=evil)], 0, 10)[0].message)
    (letter,) = relay.letters
    assert letter.mail["Bcc"] is None
    assert letter.recipients == ["nurse@hospital.example"]
    assert "⟨U+000D⟩" in letter.mail.get_content()


def test_a_relay_that_refuses_is_a_link_error() -> None:
    message = plan([due(1)], 0, 10)[0].message
    with MailRelay() as relay:
        relay.refuse = True
        with pytest.raises(LinkError, match="451"):
            mail(relay).deliver(message)
        relay.refuse, relay.refuse_recipient = False, "b@x.example"
        with pytest.raises(LinkError, match=r"b@x\.example"):
            mail(relay, "a@x.example", "b@x.example").deliver(message)
    with pytest.raises(LinkError):
        Mail(f"127.0.0.1:{free_port()}", "a@x.example", ("b@x.example",), 2).deliver(message)


def test_a_relay_without_tls_gets_nothing_when_tls_is_asked_for() -> None:
    with MailRelay() as relay:
        route = Mail(relay.address, "a@x.example", ("b@x.example",), 5, starttls=True)
        with pytest.raises(LinkError):
            route.deliver(plan([due(1)], 0, 10)[0].message)
    assert relay.letters == []


@pytest.mark.parametrize(
    ("relay", "sender", "recipients"),
    [
        ("nohost", "a@x.example", ("b@x.example",)),
        ("h:99999", "a@x.example", ("b@x.example",)),
        ("h:25", "a", ("b@x.example",)),
        ("h:25", "a@x.example", ()),
        ("h:25", "a@x.example", ("b@x.example\r\nBcc: c",)),
    ],
)
def test_what_cannot_work_is_refused_at_once(relay: str, sender: str, recipients: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        Mail(relay, sender, recipients, 1)


def test_a_long_subject_is_cut() -> None:
    assert len(subject(plan([due(1, sentence="y" * 900)], 0, 10)[0].message)) <= 140
