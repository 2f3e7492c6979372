"""A small diffusion model of native cells: it learns a few hundred pictures in minutes, on one processor thread.

text.py      captions -> bags of hashed words; needs no torch
palette.py   the colors the model chooses from; needs no torch
network.py   the U-Net
heads.py     what it answers for each cell, as a loss and as pixels
painting.py  from noise to pictures

It is an instrument, not an artist: trained from scratch, it shows quickly what a set of captions teaches. Importing
this package loads nothing; the modules that need torch say so when it is missing.
"""
