"""The demonstration's result as a page for people."""


def milliseconds(seconds):
    return "–" if seconds is None else f"{seconds * 1000:.0f} ms"


def print_steps(steps):
    print("  step                                                         took")
    for step in steps:
        mark = "*" if step["critical"] else " "
        name = step["title"] + (f" ({step['documented_as']})" if step["documented_as"] else "")
        print(f"  {mark} {name:<58} {milliseconds(step['seconds']):>8}  {step['state']}")
    print("  * = the users wait for it")


def announced(move):
    """What the move said beforehand that it may lose; a planned one never loses anything."""
    if "announced" not in move:
        return "nothing"
    window = move["announced"]["window"]
    return "not known" if window is None else f"what the last {window:.2f} s before the plan brought"


def measured(move):
    """What it did lose, of the messages that were acknowledged."""
    if "measured" not in move:
        return f"{move['lost']} messages"
    found = move["measured"]
    before, after = found["before_announced_point"], found["after_announced_point"]
    oldest = found["oldest_before_the_loss"]
    age = "" if oldest is None else f", the oldest {oldest:.2f} s before the site was gone"
    return f"{before + after} messages: {before} from before that, {after} after it{age}"


def in_quarantine(move, orphans):
    """How many of the lost messages can be read there."""
    if "measured" not in move:
        return "–"
    if not orphans:
        return "not looked at"
    return (f"{orphans['of_them_kept']} of the {orphans['lost_messages']} lost messages can be read "
            "in quarantine")


def print_loss(move, orphans):
    print(f"  loss announced               {announced(move)}")
    print(f"  loss measured                {measured(move)}")
    print(f"  orphans                      {in_quarantine(move, orphans)}")
    for entry in orphans.get("entries", []) if "measured" in move else []:
        print(f"    {entry['host']}: {entry['name']}, {entry['commits']} transactions that nobody "
              f"else has, {entry['disk_bytes'] / 1e6:.1f} MB")


def print_table(outcome):
    print(f"\nProtect: from a bare primary, {outcome['protect']['seconds']:.1f} s")
    print_steps(outcome["protect"]["steps"])
    for move in outcome["moves"]:
        print(f"\nMove {move['number']}: {move['kind']} {move['from']} to {move['to']}, "
              f"{move['state']}")
        print(f"  outage as the people saw it  {milliseconds(move['outage'])} (of it until they were "
              f"logged in again {milliseconds(move['client'])})")
        print(f"  messages acknowledged        {move['acknowledged']}")
        print(f"  lost, duplicated             {move['lost']}, {move['duplicated']}")
        if "command_to_first_message" in move:
            print(f"  command to first message     {milliseconds(move['command_to_first_message'])}")
        print_loss(move, outcome["orphans"])
        print_steps(move["steps"])
    totals = outcome["messages"]
    print(f"\n{len(outcome['moves'])} moves, {totals['acknowledged']} messages acknowledged, "
          f"{totals['lost']} lost, {totals['duplicated']} duplicated "
          f"({totals['unacknowledged']} sent and never acknowledged); "
          f"{outcome['seconds']:.1f} s in all")
    if outcome["ok"]:
        print("Nothing was lost but what was announced, and that is in quarantine; every role is as "
              "at the start.")
        return
    print("NOT as it must be:")
    for complaint in outcome["complaints"]:
        print(f"  {complaint}")
