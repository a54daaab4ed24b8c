"""What people do to a row of the queue, besides looking after it and closing it.

stakes      what lies in the books because of a row
acting      which acts a row allows, and those that ask or start something: ask again, make it a place, refund
foreign     not ours, and ours after all
write_offs  given up by two people

Which kind of row allows what is decided in one table, `payments.reconciliation.dispositions`. Every act leaves a row
of its own (`DiscrepancyAct`), and where money moves in the books, an entry of the journal.
"""
