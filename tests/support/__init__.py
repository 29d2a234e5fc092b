"""What tests share: processes, faces, sound servers, boards, machines."""
