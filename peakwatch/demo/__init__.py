"""`peakwatch demo`: the whole product on one machine, on real reviews, at a quickened clock."""
