import { attribute } from "../ir/attribute.js";
import { isStaticSize, type Size, staticSize } from "../ir/size.js";
import {
  type Lowering,
  type LoweringBuilder,
  type LoweringCall,
  type Lowerings,
  UnsupportedKernel,
  type Value,
} from "./lowering.js";
import { readAttribute, readFlag, readNumber, readNumbers, readSizes, readString } from "./read-attribute.js";

function resize(op: string): Lowering {
  return (call, build) => [
    build.add(
      op,
      [call.input("images"), build.sizes(readSizes(call, "size", (position) => position + 1))],
      call.output(),
      {
        align_corners: attribute.bool(readFlag(call, "alignCorners")),
        half_pixel_centers: attribute.bool(readFlag(call, "halfPixelCenters")),
      },
    ),
  ];
}

/** Batch and channels of images of a known height and width. */
interface ImageSizes {
  readonly batch: Size;
  readonly height: number;
  readonly width: number;
  readonly channels: Size;
}

function sizesOf(image: Value): ImageSizes {
  const [batch, height, width, channels] = image.sizes;
  if (batch === undefined || height === undefined || width === undefined || channels === undefined)
    throw new UnsupportedKernel("its images are not of rank 4");
  if (!isStaticSize(height) || !isStaticSize(width)) throw new UnsupportedKernel("the size of its images is open");
  return { batch, height: height.offset, width: width.offset, channels };
}

/**
 * Rows or columns of an image of `size` that a crop of it takes by the nearest one, `undefined` when one lies outside.
 * Reference: tf.image.crop_and_resize.
 */
function nearestPositions(from: number, to: number, size: number, count: number): readonly number[] | undefined {
  const step = count > 1 ? ((to - from) * (size - 1)) / (count - 1) : 0;
  const start = count > 1 ? from * (size - 1) : 0.5 * (from + to) * (size - 1);
  const positions = Array.from({ length: count }, (_, index) => start + index * step);
  return positions.every((position) => position >= 0 && position <= size - 1) ? positions.map(Math.round) : undefined;
}

// One box that is the same in every image picks fixed rows and columns, which every format can express.
function cropAlike(call: LoweringCall, build: LoweringBuilder): Value | undefined {
  const [boxes, boxInd] = [call.constant("boxes"), call.constant("boxInd")];
  if (boxes?.isRow !== true || boxInd?.step !== 1 || boxInd.values[0] !== 0) return undefined;
  if (readString(call, "method") !== "nearest") return undefined;
  const image = call.input("image");
  const { batch, height, width, channels } = sizesOf(image);
  const [top = 0, left = 0, bottom = 0, right = 0] = boxes.values;
  const [cropHeight = 0, cropWidth = 0] = readNumbers(call, "cropSize");
  const rows = nearestPositions(top, bottom, height, cropHeight);
  const columns = nearestPositions(left, right, width, cropWidth);
  if (rows === undefined || columns === undefined) return undefined;
  const pick = (x: Value, axis: number, positions: readonly number[], sizes: readonly Size[]): Value =>
    build.add(
      "GatherV2",
      [x, build.ints(positions), build.int(axis)],
      { dtype: x.dtype, sizes },
      {
        batch_dims: attribute.int(0),
      },
    );
  const strip = pick(image, 1, rows, [batch, staticSize(cropHeight), staticSize(width), channels]);
  const cropped = pick(strip, 2, columns, call.output().sizes);
  return cropped.dtype === "float32" ? cropped : build.add("Cast", [cropped], call.output());
}

const cropAndResize: Lowering = (call, build) => {
  const inputs = ["image", "boxes", "boxInd"].map((slot) => call.input(slot));
  return [
    cropAlike(call, build) ??
      build.add("CropAndResize", [...inputs, build.ints(readNumbers(call, "cropSize"))], call.output(), {
        method: attribute.string(readString(call, "method")),
        extrapolation_value: attribute.float(readNumber(call, "extrapolationValue")),
      }),
  ];
};

/** What stands where the turned image does not reach: a number for all channels, or one for each, the fourth opaque. */
function fillOf(call: LoweringCall, build: LoweringBuilder, channels: Size): Value {
  const value = readAttribute(call, "fillValue");
  if (typeof value === "number") return build.float(value);
  const opaque = 255;
  const colours = [...readNumbers(call, "fillValue").slice(0, 3), opaque];
  if (!isStaticSize(channels)) throw new UnsupportedKernel("the number of its channels is open");
  const scalars = colours.slice(0, channels.offset).map((colour) => build.float(colour));
  return build.add("Pack", scalars, { dtype: "float32", sizes: [channels] }, { axis: attribute.int(0) });
}

// A turn by a fixed angle takes each pixel from a fixed place, or from none.
const rotateWithOffset: Lowering = (call, build) => {
  const image = call.input("image");
  if (image.dtype !== "float32") throw new UnsupportedKernel(`its images are ${image.dtype}, not float32`);
  const { batch, height, width, channels } = sizesOf(image);
  const center = readAttribute(call, "center");
  const [relativeX = 0, relativeY = 0] = typeof center === "number" ? [center, center] : readNumbers(call, "center");
  const [centerX, centerY] = [relativeX * width, relativeY * height];
  const radians = readNumber(call, "radians");
  const [sine, cosine] = [Math.sin(radians), Math.cos(radians)];
  const sources = Array.from({ length: height * width }, (_, index) => {
    const [x, y] = [(index % width) - centerX, Math.floor(index / width) - centerY];
    const column = Math.round(x * cosine - y * sine + centerX);
    const row = Math.round(x * sine + y * cosine + centerY);
    return column >= 0 && column < width && row >= 0 && row < height ? row * width + column : -1;
  });
  const pixels = staticSize(height * width);
  const flat = build.reshape(image, [batch, pixels, channels]);
  const indices = build.ints(sources.map((source) => Math.max(source, 0)));
  const turned = build.add("GatherV2", [flat, indices, build.int(1)], flat, { batch_dims: attribute.int(0) });
  const column = build.reshape(build.ints(sources), [pixels, staticSize(1)]);
  const isInside = build.add("GreaterEqual", [column, build.int(0)], { dtype: "bool", sizes: column.sizes });
  const filled = build.add("SelectV2", [isInside, turned, fillOf(call, build, channels)], flat);
  return [build.reshape(filled, call.output().sizes)];
};

/** Kernels that resample images `[batch, height, width, channels]`. */
export const imageLowerings: Lowerings = {
  CropAndResize: cropAndResize,
  FlipLeftRight: (call, build) => [build.add("ReverseV2", [call.input("image"), build.ints([2])], call.output())],
  ResizeBilinear: resize("ResizeBilinear"),
  ResizeNearestNeighbor: resize("ResizeNearestNeighbor"),
  RotateWithOffset: rotateWithOffset,
};
