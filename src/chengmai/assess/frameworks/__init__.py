"""Indicator frameworks as data: trees with weights, and the score of a place in them."""

from chengmai.assess.frameworks.model import Framework, Node
from chengmai.assess.frameworks.scoring import Scored, score

__all__ = ["Framework", "Node", "Scored", "score"]
