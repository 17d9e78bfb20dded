"""The suite leaves nothing of its sites in the stack."""

from support.bridge import order_event


def test_a_removed_site_leaves_nothing_in_tables_and_secrets(stack):
    site = stack.add_site()
    try:
        bridge = stack.bridge(site)
        bridge.reset()
        bridge.accept(order_event())
        bridge.arrived(1)
        marks = stack.marks(site.id)
        found = stack.found(marks)
        # The number has an item of its own, which names neither site nor number.
        assert all(found[output] for output in ("ConfigTableName", "LedgerTableName", "ContactsTableName")), found
        assert len(stack.secrets_of(site.id)) == 2
    finally:
        stack.remove_site(site)
    assert {output: items for output, items in stack.found(marks).items() if items} == {}
    assert stack.secrets_of(site.id) == []
    numbers = {item["pk"]["S"] for item in found["ContactsTableName"]}
    assert numbers & {item["pk"]["S"] for item in stack.items("ContactsTableName")} == set()
