"""Blocks: frozen specs that lower to expressions of a dozen primitives, and the walks over those."""

from nasturtium.blocks.attention import ColumnEmbedding, Encoder, PatchEmbedding, TokenHead
from nasturtium.blocks.block import Block, Chain
from nasturtium.blocks.build import build, construct
from nasturtium.blocks.canonical import canonical
from nasturtium.blocks.cell_operations import CELL_OPERATIONS, DARTS_OPERATIONS, NASNET_OPERATIONS
from nasturtium.blocks.cell_stack import Cell, CellNode, CellStack, CellTerm, FreeNode
from nasturtium.blocks.cells import NB201_EDGES, NB201_OPERATIONS, NB201Cell, NB201Reduction, NormAct
from nasturtium.blocks.chain import Sequence, Stage, sequence, stage
from nasturtium.blocks.conv import ConvBN, Downsample, MBConv, Plain, Residual, Resolution, Separable
from nasturtium.blocks.counted import Counts, counted, primitives
from nasturtium.blocks.dense import Dense, DenseResidual, Embed
from nasturtium.blocks.deployed import deployed, preprocessing
from nasturtium.blocks.expr import Call, Concat, Expr, Gate, Graph, Primitive, Seq, Sum
from nasturtium.blocks.foreign import Foreign, Module, module
from nasturtium.blocks.heads import Head
from nasturtium.blocks.open_graph import Chosen, OpenEdge, OpenGraph, Relaxable
from nasturtium.blocks.source import Source, source
from nasturtium.blocks.wide import Part, Wide

__all__ = [
    "CELL_OPERATIONS", "DARTS_OPERATIONS", "NASNET_OPERATIONS", "NB201_EDGES", "NB201_OPERATIONS", "Block", "Call",
    "Cell", "CellNode", "CellStack", "CellTerm", "Chain", "Chosen", "ColumnEmbedding", "Concat", "ConvBN", "Counts",
    "Dense", "DenseResidual", "Downsample", "Embed", "Encoder", "Expr", "Foreign", "FreeNode", "Gate", "Graph", "Head",
    "MBConv", "Module", "NB201Cell", "NB201Reduction", "NormAct", "OpenEdge", "OpenGraph", "Part", "PatchEmbedding",
    "Plain", "Primitive", "Relaxable", "Residual", "Resolution", "Separable", "Seq", "Sequence", "Source", "Stage",
    "Sum", "TokenHead", "Wide", "build", "canonical", "construct", "counted", "deployed", "module", "preprocessing",
    "primitives", "sequence", "source", "stage",
]  # fmt: skip
