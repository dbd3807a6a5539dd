/** How the address of a meter is written, by API and in registry files. */
export const ADDRESS =
  /^((tcp|tls):\/\/(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):\d{1,5}|modem:[0-9+*#,]{1,40}|via:\d{1,18})$/;
export const ADDRESS_WORDS = 'tcp://host:port, tls://host:port, modem:NUMBER, or via:ID of the meter it is behind';
