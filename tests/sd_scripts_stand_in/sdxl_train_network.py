"""The stand-in's other script."""

from train_network import Trainer, parse

if __name__ == "__main__":
    Trainer(parse()).run()
