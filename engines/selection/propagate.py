"""A mask carried from a frame to the next one, along the flow, and laid to its edges there.

Measured on Diorama clips (docs/LOG.md): flow alone keeps a mean IoU of 0.93 on plain clips and loses what passes in
front of something else; cutting the whole border anew in every frame eats thin parts while nothing moves. So the
picture decides only where the flow leaves doubt, and where a part moves with the background instead of with the thing.

Shape legend: h rows, w columns of the working size; soft masks are float32 [h, w], 0 … 1; flow float32 [h, w, 2].
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from engines.footage.alignment import Floats, Picture, flow_to
from engines.media.optical_flow import Flow, visible_in_both, warp
from engines.selection.snapping import Region, grown, likeness, shrunk, snapped

# Working size: DIS and GrabCut see little in 96 pixels (enlarged two- and fourfold they did equally well), and are slow
# on thousands.
SMALLEST_LONGER_SIDE, LARGEST_LONGER_SIDE, MOST_ENLARGED = 192, 448, 4.0
# The border's zone, as a share of the longer side.
BAND = 1 / 96
# Colours around a thing are looked for within so many bands.
AROUND = 6
# A carried value in between is in doubt.
DOUBT = 0.05
# Pixels by which a part's motion must differ from the thing's, and how much better the background's must fit.
ODD_PIXELS, ODD_FACTOR, ODD_MARGIN = 1.0, 2.0, 0.5
# A motion is fitted to at least and at most so many pixels.
FEWEST_FITTED, MOST_FITTED = 100, 4000


def working_size(height: int, width: int) -> tuple[int, int]:
    """(rows, columns) that a clip's masks are found at."""
    longest = max(height, width)
    wanted = min(max(longest, SMALLEST_LONGER_SIDE), LARGEST_LONGER_SIDE)
    factor = min(wanted / longest, MOST_ENLARGED)
    return max(1, round(height * factor)), max(1, round(width * factor))


def carried(mask: Floats, here: Picture, there: Picture) -> Floats:
    """The mask of `here`, for `there`, a frame before or after it: float32 [h, w].

    An empty mask stays empty: what left the picture, or was hidden whole, is not sought again.

    Args:
        mask: float32 [h, w], of `here`.
        here, there: uint8 [h, w, 3], neighbours in time.
    """
    back = flow_to(there, here)
    soft = warp(mask, back)
    thing = soft > 0.5
    if not thing.any():
        return np.zeros_like(soft)
    band = max(2, round(BAND * max(soft.shape)))
    near, core = grown(thing, band), shrunk(thing, band)
    seen = visible_in_both(back, flow_to(here, there))
    doubt = ((soft > DOUBT) & (soft < 1 - DOUBT)) | (near & ~seen)
    odd = _moves_with_background(back, thing, core & seen, ~near & seen)
    # What came in over the picture's border has nothing to look up, and the mask's last pixels would be drawn out
    # there, farther with every frame: of that only what has the thing's colours may be it.
    entering = thing & _from_outside(back)
    if entering.any():
        around = grown(thing, AROUND * band) & ~thing
        soft = np.where(entering & (likeness(there, thing & ~entering, around) < 0.5), 0, soft).astype(np.float32)
        odd |= entering
    zone = (grown(doubt, max(1, band // 2)) | grown(odd, band)) & ~(entering & (soft == 0))
    return snapped(there, soft, zone, odd)


def blended(picture: Picture, earlier: Floats, later: Floats, share: float) -> Floats:
    """Two masks of one frame, carried there from both sides: float32 [h, w].

    Where they agree that holds; where they do not, the nearer one is probable and the picture decides.

    Args:
        picture: uint8 [h, w, 3].
        earlier, later: float32 [h, w].
        share: How much the later one counts, 0 … 1.
    """
    soft = np.asarray((1 - share) * earlier + share * later, np.float32)
    return snapped(picture, soft, grown((earlier > 0.5) != (later > 0.5), 1))


def _from_outside(flow: Flow) -> Region:
    """Where the flow points out of the picture, by half a pixel and more."""
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    return np.asarray((x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5))


def _moves_with_background(flow: Flow, thing: Region, core: Region, outside: Region) -> Region:
    """Parts of the mask that leaked: they go where the background goes, and not where the thing goes."""
    nothing = np.zeros_like(thing)
    inner = core if core.sum() >= FEWEST_FITTED else thing
    if min(inner.sum(), outside.sum()) < FEWEST_FITTED:
        return nothing
    own, around = (np.linalg.norm(flow - _fitted(flow, part), axis=-1) for part in (inner, outside))
    odd: Region = thing & (own > ODD_PIXELS) & (own > ODD_FACTOR * around + ODD_MARGIN)
    odd = grown(shrunk(odd, 1), 1)  # single pixels are noise
    # Most of it is no leak: then the fit is wrong, or the thing itself stands still.
    return odd if odd.sum() < 0.5 * thing.sum() else nothing


def _fitted(flow: Flow, region: Region) -> Flow:
    """The affine motion of a region, everywhere: least squares that believes what deviates less and less."""
    rows, columns = np.nonzero(region)
    step = len(rows) // MOST_FITTED + 1
    rows, columns = rows[::step], columns[::step]
    places = _homogeneous(rows, columns, max(region.shape))
    wanted, weight = flow[rows, columns].astype(np.float64), np.ones(len(rows))
    for _ in range(5):
        found, *_ = np.linalg.lstsq(places * weight[:, None], wanted * weight[:, None], rcond=None)
        off = np.linalg.norm(places @ found - wanted, axis=1)
        weight = 1 / (1 + np.square(off / (2 * max(0.2, float(np.median(off))))))
    height, width = region.shape
    all_rows, all_columns = np.mgrid[:height, :width]
    return np.asarray(_homogeneous(all_rows, all_columns, max(region.shape)) @ found, np.float32)


def _homogeneous(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], longest: int) -> npt.NDArray[np.float64]:
    return np.stack([columns / longest, rows / longest, np.ones(rows.shape)], -1)
