"""Ask publishers politely and bound what they may send. Only this room touches the network."""
