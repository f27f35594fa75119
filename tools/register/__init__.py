"""The builder of the register of areas."""
