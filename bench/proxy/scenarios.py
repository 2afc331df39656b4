"""What is asked for and answered: bodies, and what a masked client may see of them."""
import json


def _payment(size: int):
    """A payment of `size` bytes with one card, one CVC and one e-mail address; and as masked."""
    plain = {"id": "pay_000000000001", "amount": 12990, "currency": "EUR", "status": "settled",
             "card": {"number": "4111111111111111", "cvc": "123", "expires": "12/29"},
             "payer": {"name": "Ada Example", "email": "ada@example.com"}, "note": ""}
    masked = json.loads(json.dumps(plain))
    masked["card"].update(number="411111******1111", cvc="[redacted]")
    masked["payer"]["email"] = "[redacted]"
    bodies = []
    for document in (plain, masked):
        document["note"] = "settled by batch " * (size // 17 + 1)
        document["note"] = document["note"][: size - len(json.dumps(plain)) + len(plain["note"])] \
            if document is plain else plain["note"]
        bodies.append(json.dumps(document))
    return bodies


def _clean(size: int):
    document = {"id": "pay_000000000001", "amount": 12990, "currency": "EUR", "status": "settled", "note": ""}
    document["note"] = "n" * (size - len(json.dumps(document)))
    return [json.dumps(document)] * 2


# name: (what the target answers, what a masked client gets)
SCENARIOS = {"http-small": _clean(200), "http-1k": _payment(1024)}
