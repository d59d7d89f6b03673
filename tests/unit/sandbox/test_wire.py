"""The sandbox reads and refuses parameters as Stripe does."""

from pathlib import Path

import pytest
import stripe

from sandbox import courier, schema
from sandbox.errors import ApiError
from sandbox.form import boolean, decode, integer, metadata
from sandbox.idempotency import Keys, fingerprint
from sandbox.money import MINIMUM, chargeable, part, processing_fee
from sandbox.operations import OPERATIONS, Operation, find
from sandbox.store import Store


def test_nested_parameters_are_read() -> None:
    text = "amount=100&transfer_data[destination]=acct_1&expand[0]=a&expand[1]=b.c&types[]=x&types[]=y"
    text += "&metadata[a b]=%C3%BC"
    assert decode(text) == {
        "amount": "100",
        "transfer_data": {"destination": "acct_1"},
        "expand": ["a", "b.c"],
        "types": ["x", "y"],
        "metadata": {"a b": "ü"},
    }


@pytest.mark.parametrize("text", ["a[b=1", "a=1&a[b]=2", "]=1", "a" + "[b]" * 9 + "=1"])
def test_malformed_parameters_are_refused(text: str) -> None:
    with pytest.raises(ApiError):
        decode(text)


@pytest.mark.parametrize("value", ["", "1.0", "1e3", " 1", "0x1", "9" * 16, "\u0661"])
def test_what_is_no_integer_is_refused(value: str) -> None:
    with pytest.raises(ApiError):
        integer({"amount": value}, "amount")


def test_what_is_no_boolean_is_refused() -> None:
    with pytest.raises(ApiError):
        boolean({"confirm": "yes"}, "confirm")


def test_metadata_has_stripes_limits() -> None:
    assert metadata({"metadata": {"a": "b"}}) == {"a": "b"}
    for given in ({"k" * 41: "v"}, {"k": "v" * 501}, {str(n): "" for n in range(51)}, "text"):
        with pytest.raises(ApiError):
            metadata({"metadata": given})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_operation_refuses_an_unknown_parameter(operation: Operation) -> None:
    with pytest.raises(ApiError) as refused:
        schema.check({"no_such_thing": "1"}, operation.params)
    assert (refused.value.body["code"], refused.value.body["param"]) == ("parameter_unknown", "no_such_thing")


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": "1", "currency": "eur", "transfer_data": {"to": "x"}}, "parameter_unknown", "transfer_data[to]"),
        ({"amount": "1", "currency": "eur", "transfer_data": {}}, "parameter_missing", "transfer_data[destination]"),
        ({"amount": "1", "currency": "eur", "idempotency_key": "x"}, "parameter_unknown", "idempotency_key"),
        (
            {"amount": "1", "currency": "eur", "payment_method_types": ["card"]},
            "payment_method_types_no_longer_supported",
            "payment_method_types",
        ),
    ],
)
def test_names_are_checked_all_the_way_down(params: dict[str, object], code: str, param: str) -> None:
    with pytest.raises(ApiError) as refused:
        schema.check(params, "PaymentIntentCreateParams")
    assert (refused.value.body["code"], refused.value.body["param"]) == (code, param)


def test_free_names_stay_free() -> None:
    schema.check(
        {"amount": "1", "currency": "eur", "metadata": {"anything": "goes"}, "expand": ["x"]},
        "PaymentIntentCreateParams",
    )


def test_an_operation_is_found_by_method_and_path() -> None:
    found = find("POST", "/v1/payment_intents/pi_1/capture")
    assert found is not None
    assert (found[0].name, found[1]) == ("payment_intents.capture", {"id": "pi_1"})
    assert find("GET", "/v1/payment_intents/pi_1/capture") is None
    assert find("POST", "/v1/payment_intents/../capture") is None


def test_a_signature_is_one_the_sdk_accepts() -> None:
    payload = '{"object": "event", "name": "Zoë"}'
    header = courier.sign(payload, "whsec_x", 1_700_000_000)
    assert stripe.WebhookSignature.verify_header(payload.encode(), header, "whsec_x")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(payload.encode(), header, "whsec_y")


@pytest.mark.parametrize(("code", "least"), MINIMUM.items())
def test_the_minimum_of_a_currency_is_exact(code: str, least: int) -> None:
    assert chargeable(least, code, "amount") == least
    with pytest.raises(ApiError):
        chargeable(least - 1, code, "amount")


def test_fees_and_parts_round_half_up() -> None:
    assert processing_fee(100) == 2 + 25
    assert [part(1, 1, 2), part(150, 333, 1_001), part(150, 1_001, 1_001)] == [1, 50, 150]


class TestKeys:
    """Idempotency keys."""

    def test_an_answer_is_replayed_and_other_parameters_are_refused(self) -> None:
        keys = Keys(Store(None))
        assert keys.begin("k", "f", 0) is None
        keys.finish("k", "f", 0, 500, {"error": {}})
        replay = keys.begin("k", "f", 10)
        assert replay is not None
        assert replay["status"] == 500
        with pytest.raises(ApiError) as refused:
            keys.begin("k", "other", 10)
        assert (refused.value.status, refused.value.body["type"]) == (400, "idempotency_error")

    def test_a_key_in_flight_is_a_conflict_until_it_ends(self) -> None:
        keys = Keys(Store(None))
        keys.begin("k", "f", 0)
        with pytest.raises(ApiError) as refused:
            keys.begin("k", "f", 0)
        assert refused.value.status == 409
        keys.abandon("k")
        assert keys.begin("k", "f", 0) is None

    def test_a_key_is_forgotten_after_a_day(self) -> None:
        keys = Keys(Store(None))
        keys.begin("k", "f", 0)
        keys.finish("k", "f", 0, 200, {})
        assert keys.begin("k", "other", 86_401) is None

    def test_the_order_of_parameters_does_not_count(self) -> None:
        assert fingerprint("POST", "/v1/x", "a=1&b=2") == fingerprint("POST", "/v1/x", "b=2&a=1")
        assert fingerprint("POST", "/v1/x", "a=1") != fingerprint("POST", "/v1/y", "a=1")


def test_the_store_keeps_order_changes_and_deletions(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "state.db")
    for name in ("b", "a", "c"):
        store.save({"object": "customer", "id": name})
    store.flush()
    store.save({"object": "customer", "id": "a", "changed": True})
    store.drop("customer", "c")
    store.close()
    again = Store(tmp_path / "deep" / "state.db")
    assert again.all("customer") == [
        {"object": "customer", "id": "b"},
        {"object": "customer", "id": "a", "changed": True},
    ]
    again.close()
