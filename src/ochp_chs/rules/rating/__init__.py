"""What a tariff makes of a session: rating as a pure function of tariff, CDR and time zone."""
