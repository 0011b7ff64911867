/** Binary answers of the API. */

const numbers = (response, header) =>
  (response.headers.get(header) || "").split(",").filter(Boolean).map(Number);

/** An answer with X-Shape and X-Epochs as {values, shape, epochs, low, high}. */
export const readArray = (Kind) => async (response) => {
  const [low, high] = numbers(response, "X-Range");
  const [shape, epochs] = [numbers(response, "X-Shape"), numbers(response, "X-Epochs")];
  return { values: new Kind(await response.arrayBuffer()), shape, epochs, low, high };
};

