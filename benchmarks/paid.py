"""What a report costs at Cost Explorer: paid requests of clients that ask for no optional section."""

import subject
import table


def main() -> None:
    """Count, print, and leave with 1 if the limit is missed."""
    asked = table.arguments("Paid requests of a report.")
    plain = {"sections": (), "tag_keys": (), "more_accounts": ()}
    paid = {name: subject.of(client.model_copy(update=plain)).paid for name, client in subject.clients().items()}
    rows = [table.Row(name, count, "", 2) for name, count in paid.items()]
    everything = subject.large()
    rows.append(
        table.Row(f"{subject.LARGE}, all sections", everything.paid, "", note="two tag keys, thirteen calls more")
    )
    table.say("Paid requests for a monthly report", rows, as_json=asked.json)


if __name__ == "__main__":
    main()
