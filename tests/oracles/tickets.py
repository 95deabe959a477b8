"""Simple random samples by the PyPI package consistent_sampler (1.0.10), without replacement, in ticket order.

Reads JSON lines {"seed", "ids": [...], "n"} and prints one JSON line for each: [{"id", "ticket"}, ...], ticket numbers
with all their digits. Needs `pip install consistent_sampler==1.0.10`.
"""

import json
import sys

from consistent_sampler import sampler

for line in sys.stdin:
    query = json.loads(line)
    drawn = sampler(query["ids"], query["seed"], take=query["n"], output="ticket", digits=100)
    print(json.dumps([{"id": ticket.id, "ticket": ticket.ticket_number} for ticket in drawn]))
