"""The share of the Mag 7 during a session: intraday and unofficial, never mixed into the tables of closes.

prices      minute bars in any order as the last price of each security
baseline    the share counts and closes of the last document, in the share units of today
share       prices times share counts, with age, coverage and bound
"""
