"""Rules 29 to 31: the pot, equal shares and payout tables, to the cent."""

from tests.oracle import Fee, Reprieve, grade
from tests.oracle.notation import LONG_AFTER, league, pool
from tests.oracle.prizes import pot_of


def prizes(this, players):
    return [fate.prize for _, fate in sorted(grade(players, this, LONG_AFTER).fates.items())]


def test_the_house_takes_its_part_of_each_fee_rounded_down():
    this = league("A 3-1 B")
    players = pool(this, "A", "A", "A", fee=999, house_fee_bp=1_000)
    players.entries[1].fees.append(Fee(501))
    # 99 of each 999, 50 of the 501.
    assert pot_of(players) == 3 * 900 + 451


def test_a_refunded_fee_is_not_in_the_pot_and_a_disqualified_places_is():
    this = league("A 3-1 B")
    players = pool(this, "A", "A", "A", "B")
    players.entries[1].is_void = True
    players.entries[2].is_void, players.entries[2].fees[0].is_refunded = True, True
    assert prizes(this, players) == [300, None, None, None]


def test_cents_that_do_not_divide_go_to_the_lowest_ids_one_each():
    this = league("A 3-1 B")
    players = pool(this, "B", "A", "A", "A", fee=101)
    assert prizes(this, players) == [None, 135, 135, 134]


TABLE = (5_000, 3_000, 2_000)


def test_the_table_pays_winners_first_then_the_later_out_the_better():
    this = league("A 3-1 B", "A 3-1 B", "A 3-1 B")
    players = pool(this, "B", "A B", "A A B", "A A A", payout="table", payout_table=TABLE)
    assert prizes(this, players) == [None, 80, 120, 200]


def test_equals_share_the_sum_of_their_ranks():
    this = league("A 3-1 B", "A 3-1 B")
    players = pool(this, "A B", "A A", "A B", "B", fee=25, payout="table", payout_table=TABLE)
    # The pot is 100: the first gets 50; ranks two and three are 50 for both of the next.
    assert prizes(this, players) == [25, 50, 25, None]
    winners = pool(this, "A A", "A A", "A B", "A B", fee=25, payout="table", payout_table=TABLE)
    assert prizes(this, winners) == [40, 40, 10, 10]


def test_what_ranks_would_get_that_nobody_takes_goes_to_the_first():
    this = league("A 3-1 B", "A 3-1 B")
    players = pool(this, "A A", "A B", payout="table", payout_table=TABLE)
    assert prizes(this, players) == [140, 60]
    alone = pool(this, "A", payout="table", payout_table=TABLE)
    assert prizes(this, alone) == [100]
    both = pool(this, "A A", "A A", fee=51, payout="table", payout_table=TABLE)
    assert prizes(this, both) == [51, 51]


def test_amounts_up_to_a_rank_are_rounded_down_so_that_the_parts_are_the_pot():
    this = league("A 3-1 B", "A 3-1 B", "A 3-1 B")
    players = pool(this, "A A A", "A A B", "A B", fee=67, payout="table", payout_table=(3_334, 3_333, 3_333))
    # 201: up to the first 67.01, up to the second 134.007, up to the third 201.
    assert prizes(this, players) == [67, 67, 67]
    uneven = pool(this, "A A A", "A A B", "A B", fee=33, payout="table", payout_table=TABLE)
    # 99: 49.5 down to 49; 79.2 down to 79, so 30; then 20.
    assert prizes(this, uneven) == [49, 30, 20]


def test_the_table_ranks_who_lost_the_tiebreak_by_margin():
    this = league("A 9-1 B, C 3-1 D, E 2-1 F", "A 3-1 B, C 3-1 D")
    players = pool(this, "E A", "A C", "C C", "B", last_round="tiebreak", payout="table", payout_table=TABLE)
    players.entries[2].picks[1].team = "C"
    assert prizes(this, players) == [80, 200, 120, None]


def test_the_table_puts_those_who_had_not_submitted_after_those_who_had():
    this = league("A 3-1 B", "A 1-3 B")
    players = pool(this, "A .", "A A", "B", fee=100, payout="table", payout_table=TABLE)
    assert prizes(this, players) == [90, 150, 60]
    tied = pool(
        this, "A .", "A A", "A A", "A .", all_out="tiebreak", payout="table", payout_table=(4_000, 3_000, 3_000)
    )
    assert prizes(this, tied) == [60, 140, 140, 60]


def test_who_was_spared_is_ranked_by_where_it_fell_in_the_end():
    this = league("A 3-1 B", "A 3-1 B", "A 3-1 B")
    players = pool(this, "B B", "A B", "A A A", "A A A", payout="table", payout_table=TABLE)
    players.entries[0].reprieves.append(Reprieve(1, 2))
    assert prizes(this, players) == [40, 40, 160, 160]
