"""The screens of pools of shared resources."""
