/** Binary answers of the API. */

/** Numbers in a header. @param {Response} response @param {string} header */
const numbers = (response, header) =>
  (response.headers.get(header) || "").split(",").filter(Boolean).map(Number);

/** An answer with X-Shape and X-Epochs as {values, shape, epochs, low, high}. @param {new (buffer: ArrayBuffer) => any} Kind */
export const readArray = (Kind) => async (/** @type {Response} */ response) => {
  const [low, high] = numbers(response, "X-Range");
  const [shape, epochs] = [numbers(response, "X-Shape"), numbers(response, "X-Epochs")];
  return { values: new Kind(await response.arrayBuffer()), shape, epochs, low, high };
};

