"""What exports promise, and what the gateway says of them."""
import re


def is_complete(indices: list[int], records: int) -> bool:
    return set(indices) == set(range(records))


def is_in_order(indices: list[int]) -> bool:
    """But for what came twice: a repetition begins again behind what was there."""
    known = -1
    for index in indices:
        if index > known + 1:
            return False
        known = max(known, index)
    return True


def export_of(gateway, name: str) -> dict:
    status = gateway.sluice("status", "--socket", gateway.admin_socket, "--json", check=True).json()
    return next(one for one in status["exports"] if one["name"] == name)


def is_caught_up(gateway, name: str, operations: int) -> bool:
    """All of so many operations are in the log, and all that is in the log has arrived."""
    records = gateway.records()
    return (sum(record["phase"] == "outcome" for record in records) >= operations
            and export_of(gateway, name)["exported"] >= len(records))


def metric(gateway, name: str, export: str) -> float:
    page = gateway.admin("GET", "/metrics")[1]
    return float(re.search(rf'^{name}{{export="{export}"}} (\S+)$', page, re.M).group(1))
