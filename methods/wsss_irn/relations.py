"""Pseudo-labels: IR labels from the CAMs, the inter-pixel relation network, the random walk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wsss_cli.cam.store import read_cam, upsample
from wsss_cli.data.images import read_image
from wsss_cli.data.labels import write_confidence, write_labels
from wsss_cli.data.prepared import Sample
from wsss_cli.data.transforms import normalise, normalised
from wsss_cli.engine import checkpoint
from wsss_cli.engine.distributed import mean_over_ranks
from wsss_cli.engine.infer import equal_shapes
from wsss_cli.engine.loop import Training, fit, total_iterations
from wsss_cli.engine.schedules import poly
from wsss_cli.engine.segment import to_device
from wsss_cli.job import Job
from wsss_cli.nets.pretrained import load_pretrained
from wsss_cli.refine.crf import Crf, DenseCrf, unary_from_labels
from wsss_cli.refine.pool import map_unordered
from wsss_cli.refine.walk import random_walk
from wsss_irn.cams import build, cam_path, poly_sgd, tagged, trained_cam_net
from wsss_irn.config import CamNetwork, IrLabel, Pseudo
from wsss_irn.data import RelatedPixels, chw
from wsss_irn.instances import detect_instances, write_instances
from wsss_irn.labels import confidence_mask, ir_label, semantic_scores
from wsss_irn.losses import irn_losses
from wsss_irn.nets import IrnNet, edge_displacement
