/** Errors in words. */

/** What went wrong and what to do about it. @param {{message: string, hint?: string}} error */
export const errorWords = ({ message, hint }) => [message, hint].filter(Boolean).join(" ");
