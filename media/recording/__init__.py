"""Recording: packets become one WebM file a side, on one clock, without transcoding, while both consents stand."""
