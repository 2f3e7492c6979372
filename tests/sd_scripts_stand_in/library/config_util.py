"""The keys of the dataset TOML, which the checks look for in the text of the real one.

batch_size caption_extension enable_bucket flip_aug image_dir is_reg keep_tokens num_repeats resize_interpolation
resolution shuffle_caption
"""
