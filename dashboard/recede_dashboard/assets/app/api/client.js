/** Requests to the API, and its errors. */

const PREFIX = "/api/v1";

/** An error of the API, in words; status 0: there was no answer. */
export class ApiError extends Error {
  /**
   * @param {{code?: string, message?: string, hint?: string, details?: object}} body
   * @param {number} status
   */
  constructor(body, status) {
    super(body.message || `The server answered with status ${status}.`);
    this.code = body.code || "error";
    this.hint = body.hint || "";
    this.details = body.details || {};
    this.status = status;
  }
}

/**
 * One request; raises ApiError with the server's words, and AbortError where it was stopped.
 * @param {string} path without the prefix
 * @param {{method?: string, body?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<Response>}
 */
export async function request(path, { method = "GET", body, signal } = {}) {
  let response;
  try {
    response = await fetch(PREFIX + path, {
      method,
      signal,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    const hint = "Reconnecting automatically; the terminal that runs Recede may say more.";
    throw new ApiError({ code: "no_answer", message: "The server does not answer.", hint }, 0);
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new ApiError(answer.error || {}, response.status);
}

/**
 * One request with its answer as JSON; raises ApiError.
 * @param {string} method @param {string} path @param {object} [body]
 */
export async function api(method, path, body) {
  const response = await request(path, { method, body });
  return response.json().catch(() => ({}));
}
