/** Shrinks a photo to at most 1280 px and 300 KB. Drawing it anew also leaves out where and with what it was taken. */

const QUALITIES = [0.82, 0.7, 0.58, 0.46];
const SMALLER = 0.75;

export interface PhotoLimits {
  maxPx: number;
  maxBytes: number;
}

/** `parameters` are the form's own: max-pixels and max-kb. */
export function photoLimits(parameters: Record<string, string> = {}): PhotoLimits {
  return { maxPx: Number(parameters["max-pixels"]) || 1280, maxBytes: (Number(parameters["max-kb"]) || 300) * 1024 };
}

/** The size of a picture whose longer side is at most `maxPx`. */
export function fitted(width: number, height: number, maxPx: number): { width: number; height: number } {
  const scale = Math.min(1, maxPx / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

function encode(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), type, quality));
}

/** Throws when the file is no picture that this phone can read. */
export async function shrinkPhoto(file: Blob, limits: PhotoLimits): Promise<Blob> {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = document.createElement("canvas");
  for (let maxPx = limits.maxPx; ; maxPx = Math.round(maxPx * SMALLER)) {
    Object.assign(canvas, fitted(bitmap.width, bitmap.height, maxPx));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    for (const quality of QUALITIES) {
      const blob = await encode(canvas, "image/jpeg", quality);
      if (blob.size <= limits.maxBytes || maxPx < 200) return blob;
    }
  }
}

export const signaturePicture = (canvas: HTMLCanvasElement) => encode(canvas, "image/png");
