import pytest

from agent.collector.notify.grouping import plan
from agent.collector.notify.webhook import Webhook
from agent.errors import InputError, LinkError
from tests.collector.notify.test_grouping import due
from tests.simulators.broker import free_port
from tests.simulators.webhook import WebhookReceiver

MESSAGE = plan([due(1)], 0, 10)[0].message


def test_it_posts_json_to_a_real_receiver() -> None:
    with WebhookReceiver() as receiver:
        Webhook(receiver.url, 5).deliver(MESSAGE)
    (post,) = receiver.posts
    assert (post["version"], post["digest"], post["key"]) == (1, False, MESSAGE.key)
    assert post["items"][0]["id"] == "host-sweep"
    assert post["items"][0]["evidence"] == [["hosts", "61"]]
    assert receiver.headers[0]["Idempotency-Key"] == MESSAGE.key


@pytest.mark.parametrize("status", [301, 404, 500])
def test_anything_but_2xx_is_not_delivered_and_redirects_are_not_followed(status: int) -> None:
    with WebhookReceiver() as receiver:
        receiver.answer = status
        with pytest.raises(LinkError, match=str(status)):
            Webhook(receiver.url, 5).deliver(MESSAGE)
        assert receiver.asked == 1


def test_nobody_there_is_a_link_error() -> None:
    with pytest.raises(LinkError):
        Webhook(f"http://127.0.0.1:{free_port()}/", 2).deliver(MESSAGE)


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "nonsense", "http://x:notaport/"])
def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(InputError):
        Webhook(url, 1)
