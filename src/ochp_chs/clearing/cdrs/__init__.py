"""CDRs: upload, plausibility, dispute, approval (PROTOCOL, "CDRs")."""
