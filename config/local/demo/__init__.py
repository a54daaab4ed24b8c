"""A pool in play for people who look at the system for the first time: a made-up league, made-up people.

`season` draws the league, `people` the players and staff, `story` puts them into pools and plays the past rounds,
`feed` plays the present one. Everything goes through the services and past the guards that real pools meet; the
past rounds' picks are marked as imported, which is what they are.
"""
