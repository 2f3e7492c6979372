"""What the checks look for in the text of the real one: --initial_epoch --initial_step --dim_from_weights
--sample_at_first."""
