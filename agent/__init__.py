"""wardtap: what a ward's devices do, told in one plain sentence when they do what they should not.

The journey is the layout; each folder is named for what leaves it:

    UP    tap -> packets -> flows -> devices -> findings -> summaries -> spool -> uplink
    DOWN  uplink -> commands -> request folder -> sensor

`wire` and `signing` are the contract with the collector; `service` assembles the two processes (sensor, uplink);
`collector` and `ctl` run off the appliance.
"""

__version__ = "0.1.0"
