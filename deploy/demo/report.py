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


def print_loss(move):
    announced, measured = move["announced"], move["measured"]
    window = announced["window"]
    bound = "not known" if window is None else f"what the last {window:.2f} s brought"
    oldest = measured["oldest_before_the_loss"]
    age = "" if oldest is None else f", the oldest {oldest:.2f} s before the site was gone"
    print(f"  command to first message     {milliseconds(move['command_to_first_message'])}")
    print(f"  loss announced               {bound} before the plan")
    print(f"  loss measured                {measured['before_announced_point']} messages from before "
          f"that, {measured['after_announced_point']} after it{age}")


def print_orphans(orphans):
    print(f"  orphans in quarantine        {orphans['of_them_kept']} of the "
          f"{orphans['lost_messages']} lost messages can be read there:")
    for entry in orphans["entries"]:
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
        if "measured" in move:
            print_loss(move)
        if move["kind"] == "failback" and outcome["orphans"]:
            print_orphans(outcome["orphans"])
        print_steps(move["steps"])
    totals = outcome["messages"]
    print(f"\n{len(outcome['moves'])} moves, {totals['acknowledged']} messages acknowledged, "
          f"{totals['lost']} lost, {totals['duplicated']} duplicated "
          f"({totals['unacknowledged']} sent and never acknowledged); "
          f"{outcome['seconds']:.1f} s in all")
    print("Nothing was lost but what was announced, and that is in quarantine." if outcome["ok"]
          else "NOT as it must be.")
