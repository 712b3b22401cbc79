/** Who works here, and in which groups. The password is not looked at: the demo is about what comes after. */
export const groupsOf: Readonly<Record<string, readonly string[]>> = {
  ana: ['support'],
  bo: ['dba'],
};

/** The OAuth client that people's MCP clients are: a public one, as programs on a desk are. */
export const CLIENT_ID = 'desk-client';

/** Nothing listens there: the demo's browser reads the code from the redirect itself. */
export const REDIRECT_URL = 'http://127.0.0.1:8499/callback';

/** The OAuth client that the console is. */
export const CONSOLE_CLIENT_ID = 'gatehouse-console';
