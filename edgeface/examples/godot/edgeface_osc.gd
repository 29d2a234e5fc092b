# Moves the blend shapes of a mesh, for Godot 4 and 3.
#
#     edgeface bridge osc HOST:9000
#
# Add a Node below the mesh (MeshInstance3D, or MeshInstance in Godot 3) and attach this script to
# it. Shapes have Apple's names, such as jawOpen; a mesh ignores those that it does not have. What
# else arrives, `speech` (0 or 1) and `level` (dBFS), and all shapes come with the signal `heard`.
extends Node

signal heard(name, value)

var port = 9000
var prefix = "/edgeface/"

var _socket = PacketPeerUDP.new()


func _ready():
	var method = "bind" if Engine.get_version_info()["major"] >= 4 else "listen"
	if _socket.call(method, port) != OK:
		push_error("edgeface: UDP port %d is taken" % port)


func _process(_delta):
	while _socket.get_available_packet_count() > 0:
		_read_packet(_socket.get_packet())


# A bundle is "#bundle", a time of 8 bytes, and messages, each after its length of 4 bytes.
func _read_packet(packet):
	var stream = StreamPeerBuffer.new()
	stream.big_endian = true
	stream.data_array = packet
	if _read_text(stream) != "#bundle":
		stream.seek(0)
		_read_message(stream)
		return
	var start = 16
	while start + 4 < packet.size():
		stream.seek(start)
		start += 4 + stream.get_u32()
		if start <= packet.size():
			_read_message(stream)


func _read_message(stream):
	var address = _read_text(stream)
	var types = _read_text(stream)
	if not address.begins_with(prefix) or stream.get_size() - stream.get_position() < 4:
		return
	var value = 0.0
	if types == ",f":
		value = stream.get_float()
	elif types == ",i":
		value = float(stream.get_32())
	else:
		return
	var shape = address.substr(prefix.length())
	get_parent().set("blend_shapes/" + shape, value)
	emit_signal("heard", shape, value)


# Text ends with a zero byte and is filled up to a multiple of 4 bytes.
func _read_text(stream):
	var text = ""
	while stream.get_position() < stream.get_size():
		var byte = stream.get_u8()
		if byte == 0:
			break
		text += char(byte)
	stream.seek(min((stream.get_position() + 3) & ~3, stream.get_size()))
	return text
