// What both of Node's clients are held to.
export const { SSN, CARD } = process.env;
export const refuses = process.env.REFUSES !== undefined;
export const settings = {
  host: "127.0.0.1", port: Number(process.env.PGPORT), user: process.env.PGUSER,
  password: process.env.PGPASSWORD, database: "shop", ssl: false,
};

export function expect(holds, message) {
  if (!holds) throw new Error(message);
}

export async function failsWith(state, part, action) {
  try {
    await action();
  } catch (error) {
    expect(error.code === state && `${error.message} ${error.detail}`.includes(part),
           `${state} was expected: ${error.code} ${error.message} ${error.detail}`);
    return;
  }
  throw new Error(`${state} was expected, and all went well`);
}

export function until(promise, what) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(`still waiting for ${what}`)), 20000).unref());
  return Promise.race([promise, late]);
}
