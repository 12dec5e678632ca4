"""BatchNorm folded into the layer before: at inference it is one multiplication and one addition for each map."""

from itertools import pairwise

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval


def fold_batchnorm(network: nn.Module) -> nn.Module:
    """Fold each BatchNorm directly behind a convolution or a dense layer into its weights and bias, in place.

    The outputs in evaluation mode stay the same up to rounding. One behind a pool stays.
    """
    network.eval()
    for child in network.children():
        fold_batchnorm(child)
    if isinstance(network, nn.Sequential):
        for place, (layer, norm) in enumerate(pairwise(list(network))):
            if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                network[place] = fuse_conv_bn_eval(layer, norm)
            elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
                network[place] = fuse_linear_bn_eval(layer, norm)
            else:
                continue
            network[place + 1] = nn.Identity()
    return network
